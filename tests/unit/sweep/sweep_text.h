// Sweep files for tests, in as few words as possible.
#pragma once

#include <string>

#include "common/catalog/catalog.h"
#include "common/sweep/sweep_spec.h"

namespace gridsweep {

// A sweep whose grid is `grid`, one axis a line, e.g. "optimizer: [adam]"; `rest` follows at the top level.
inline std::string SweepText(const std::string& grid, const std::string& rest = "") {
  std::string text = "name: s\ndataset: d\n" + rest;
  if (!rest.empty() && rest.back() != '\n') text += '\n';
  text += "grid:\n";
  size_t start = 0;
  while (start < grid.size()) {
    const size_t end = std::min(grid.find('\n', start), grid.size());
    text += "  " + grid.substr(start, end - start) + "\n";
    start = end + 1;
  }
  return text;
}

inline absl::StatusOr<SweepSpec> Parse(const std::string& text, const SweepLimits& limits = {}) {
  return ParseSweep(text, "s.yaml", Catalog::Builtin(), limits);
}

inline std::vector<std::string> Labels(const SweepSpec& spec, Axis axis) {
  std::vector<std::string> labels;
  for (const AxisValue& value : spec.axis(axis))
    labels.push_back(AxisValueLabel(Catalog::Builtin(), axis, value));
  return labels;
}

}  // namespace gridsweep
