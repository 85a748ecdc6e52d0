// Which cells need more seeds before it is clear which one is the best. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/results/ranking.h"

namespace gridsweep {

struct SeedPlan {
  enum class Verdict {
    kGoOn,       // give `cells` seeds up to `seeds`
    kSeparated,  // the leader differs from every other cell
    kExhausted,  // the cells that may still be the best have `max` seeds each
    kNoResult,   // nothing to compare
  };
  Verdict verdict = Verdict::kNoResult;
  std::vector<int64_t> cells;  // that may still be the best, the leader first
  int64_t seeds = 0;           // kGoOn: that each is to have in all
  double significance = 0;     // a cell may be the best while its adjusted p is above it
};

// The next round for a ranking whose jobs are all over. A cell may still be the best while its difference from the leader is not
// significant, or cannot be tested. Cells without a result may not: they have diverged or failed.
//
// Looking again after every round would find a difference by chance sooner or later: each of at most `looks` looks is allowed
// an equal part of the 5 % (Bonferroni), so that all together err in at most 5 % of sweeps.
SeedPlan PlanSeeds(const std::vector<RankedRow>& rows, int64_t max, int64_t looks);

// A sentence for people, kept with the revision: "3 cells may still be the best (p > 0.0071)".
std::string ReasonOf(const SeedPlan& plan);

}  // namespace gridsweep
