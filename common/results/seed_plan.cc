#include "common/results/seed_plan.h"

#include <algorithm>

namespace gridsweep {
namespace {

// The leader, or a cell that is not known to be worse.
bool MayBeBest(const RankedRow& row, double significance) {
  if (!row.mean) return false;
  return !row.behind || !row.behind->p || *row.behind->p > significance;
}

}  // namespace

SeedPlan PlanSeeds(const std::vector<RankedRow>& rows, int64_t max, int64_t looks) {
  SeedPlan plan{.significance = kSignificance / static_cast<double>(std::max<int64_t>(looks, 1))};
  int64_t fewest = 0;
  for (const RankedRow& row : rows) {
    if (!MayBeBest(row, plan.significance)) continue;
    fewest = plan.cells.empty() ? row.jobs.total() : std::min(fewest, row.jobs.total());
    plan.cells.push_back(row.cell);
  }
  if (plan.cells.empty()) return plan;
  if (plan.cells.size() == 1) {
    plan.verdict = SeedPlan::Verdict::kSeparated;
  } else if (fewest >= max) {
    plan.verdict = SeedPlan::Verdict::kExhausted;
  } else {
    plan.verdict = SeedPlan::Verdict::kGoOn;
    plan.seeds = fewest + 1;
  }
  return plan;
}

std::string ReasonOf(const SeedPlan& plan) {
  return fmt::format("{} cells may still be the best (p > {:.2g})", plan.cells.size(), plan.significance);
}

}  // namespace gridsweep
