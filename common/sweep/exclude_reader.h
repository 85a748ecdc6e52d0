// The exclude list: rules that take cells out of the grid.
#pragma once

#include <vector>

#include "common/sweep/sweep_spec.h"
#include "common/sweep/yaml_reader.h"

namespace gridsweep {

inline constexpr int kMaxExclusions = 1'000;

// Reads the list below `exclude`. Returns INVALID_ARGUMENT with the place for anything malformed or unknown,
// and for a pattern that matches no value of `axes`: such a rule excludes nothing and is a mistake.
absl::StatusOr<std::vector<Exclusion>> ReadExclusions(
    const SweepSource& source, const YamlNode& node, const Catalog& catalog,
    const std::array<std::vector<AxisValue>, kAxisCount>& axes);

}  // namespace gridsweep
