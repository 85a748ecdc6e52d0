// How probable is it that a cell is the best one? Pure.
#pragma once

#include <optional>
#include <vector>

#include "common/results/standings.h"

namespace gridsweep {

// The share of bootstrap samples (Efron, "Bootstrap methods: another look at the jackknife", Annals of Statistics 1979) in which
// each cell has the best mean; equal means share a sample. In the order of `cells`, adding up to 1; absent for a cell without a
// value, and for all where nothing can be resampled: one seed and no share of a known number of images.
//
// With several seeds the sweep's seeds are drawn with replacement, the same for all cells, which keeps pairs together; a cell
// counts in a sample with those of its seeds that were drawn. The bootstrap of few seeds understates their spread, by a
// factor sqrt((n-1)/n). With one seed each share p of N images is drawn from its normal approximation, N(p, p(1-p)/N).
// 10,000 samples, fewer where very many cells are near the leader, so that the standard error of a probability is at most
// 0.005 to 0.016. Samples come from a fixed seed: equal input, equal output, to the last digit.
std::vector<std::optional<double>> BestProbabilities(const std::vector<CellObjectives>& cells,
                                                     const Measure& measure);

}  // namespace gridsweep
