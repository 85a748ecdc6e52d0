// How each cell stands against the leader: can they be told apart, and how probable is it that the cell is the best? Pure;
// the order of the input cannot change a digit.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/results/difference.h"

namespace gridsweep {

// What a cell has to show: finite objectives of succeeded jobs, sorted by seed; may be empty.
struct CellObjectives {
  int64_t cell = 0;
  int64_t ordinal = 0;  // position in the grid: the last tie-break
  std::vector<SeedValue> values;
};

struct Standing {
  int64_t cell = 0;
  // 1 for the leader and every cell that cannot be told apart from it. For others 1 + the number of cells with a strictly
  // better mean. 0 without a result.
  int64_t rank = 0;
  bool tied = false;  // shares rank 1 with another
  // The leader minus this cell, p adjusted for all cells of the sweep; absent for the leader and without a result.
  std::optional<Difference> behind;
  std::optional<double> best_probability;
};

// Above it two cells cannot be told apart.
inline constexpr double kSignificance = 0.05;

// One standing a cell, in the order of `cells`.
//
// The leader is the cell of the best mean, then of more seeds, then of the lower ordinal. Each other cell is compared with it
// (difference.h); the p values are adjusted for their number (Holm), and a cell whose adjusted p is above `significance`
// shares rank 1. A cell that nothing can be said about, because it has no seed in common with the leader or one and a loss,
// is ranked by its mean.
std::vector<Standing> CompareWithLeader(const std::vector<CellObjectives>& cells, const Measure& measure,
                                        double significance = kSignificance);

// A sentence where `seeds` seeds can hardly tell anything apart among `comparisons` comparisons with the leader: the first step of
// Holm's correction asks for a difference of Student's t(1 - 0.025 / comparisons, seeds - 1) standard errors, which is 36 with 3
// seeds and 65 comparisons. Empty below 10 of them, and with one seed, which has a caption of its own.
std::string FewSeedsNote(int64_t seeds, int64_t comparisons);

// Index of the leader; nullopt if no cell has a value.
std::optional<size_t> FindLeader(const std::vector<CellObjectives>& cells, Goal goal);

}  // namespace gridsweep
