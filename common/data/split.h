// The stratified split of a training set, equal for all jobs of all sweeps: a function of the labels and shares alone.
#pragma once

#include <cstdint>
#include <vector>

namespace gridsweep {

struct Split {
  std::vector<int64_t> train;       // indices into the training set, ascending
  std::vector<int64_t> validation;  // ascending, disjoint from train
};

// Holds out round(validation · count) images of each class (largest remainders, so that the total is round(validation ·
// n)), chosen by a fixed hash of (class, position in class); then, if samples > 0, keeps a stratified subset of that many
// of the remaining ones, chosen likewise. Independent of the job's seed.
Split StratifiedSplit(const std::vector<uint8_t>& labels, int64_t classes, double validation,
                      int64_t samples);

}  // namespace gridsweep
