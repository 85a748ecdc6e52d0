// Component labels made short for narrow tables without making two of them look alike.
#pragma once

#include <string>
#include <vector>

namespace gridsweep {

struct CompactLabels {
  std::vector<std::string> labels;  // one per input
  // What was left out, e.g. "sgd: momentum=0.9"; sorted.
  std::vector<std::string> legend;
};

// `labels` are those of one axis, like "sgd(lr=0.05, momentum=0.9)" or "l2(0.0001)+dropout(0.3)". A parameter
// that is the same wherever its component appears is left out and listed in the legend instead. Distinct
// labels stay distinct.
CompactLabels ShortenLabels(const std::vector<std::string>& labels);

}  // namespace gridsweep
