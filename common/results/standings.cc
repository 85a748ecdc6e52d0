#include "common/results/standings.h"

#include <algorithm>
#include <tuple>

#include "common/base/status.h"
#include "common/results/best_probability.h"
#include "common/results/distributions.h"
#include "common/results/format_number.h"

namespace gridsweep {
namespace {

// Smaller is better, whatever the goal.
double Cost(double mean, Goal goal) {
  return goal == Goal::kMax ? -mean : mean;
}

// 1 + the number of strictly better means, by cell.
std::vector<int64_t> RanksByMean(const std::vector<CellObjectives>& cells, Goal goal) {
  std::vector<std::pair<double, size_t>> sorted;
  for (size_t i = 0; i < cells.size(); ++i) {
    if (!cells[i].values.empty()) sorted.emplace_back(Cost(MeanOf(cells[i].values), goal), i);
  }
  std::sort(sorted.begin(), sorted.end());
  std::vector<int64_t> ranks(cells.size(), 0);
  for (size_t place = 0; place < sorted.size(); ++place) {
    const bool equal = place > 0 && sorted[place].first == sorted[place - 1].first;
    ranks[sorted[place].second] = equal ? ranks[sorted[place - 1].second] : static_cast<int64_t>(place) + 1;
  }
  return ranks;
}

// Adjusts the p values of all comparisons for their number.
void AdjustForNumber(std::vector<Standing>& standings) {
  std::vector<double> p;
  for (const Standing& standing : standings) {
    if (standing.behind && standing.behind->p) p.push_back(*standing.behind->p);
  }
  const std::vector<double> adjusted = HolmAdjusted(p);
  auto next = adjusted.begin();
  for (Standing& standing : standings) {
    if (standing.behind && standing.behind->p) standing.behind->p = *next++;
  }
}

// Ranks 1 of the leader and of those whose comparison with it could have, and has not, told them apart.
void ShareFirstRank(std::vector<Standing>& standings, size_t leader, double significance) {
  for (Standing& standing : standings) {
    if (!standing.behind || !standing.behind->p || *standing.behind->p <= significance) continue;
    standing.rank = 1;
    standing.tied = true;
    standings[leader].tied = true;
  }
}

}  // namespace

std::optional<size_t> FindLeader(const std::vector<CellObjectives>& cells, Goal goal) {
  std::optional<size_t> leader;
  const auto key = [&](size_t i) {
    return std::make_tuple(Cost(MeanOf(cells[i].values), goal), -static_cast<int64_t>(cells[i].values.size()),
                           cells[i].ordinal, cells[i].cell);
  };
  for (size_t i = 0; i < cells.size(); ++i) {
    if (!cells[i].values.empty() && (!leader || key(i) < key(*leader))) leader = i;
  }
  return leader;
}

std::vector<Standing> CompareWithLeader(const std::vector<CellObjectives>& cells, const Measure& measure,
                                        double significance) {
  std::vector<Standing> standings(cells.size());
  const std::optional<size_t> leader = FindLeader(cells, measure.goal);
  const std::vector<int64_t> ranks = RanksByMean(cells, measure.goal);
  const std::vector<std::optional<double>> best = BestProbabilities(cells, measure);
  for (size_t i = 0; i < cells.size(); ++i) {
    standings[i].cell = cells[i].cell;
    standings[i].rank = ranks[i];
    standings[i].best_probability = best[i];
    if (i != leader && !cells[i].values.empty())
      standings[i].behind = Compare(cells[*leader].values, cells[i].values, measure);
  }
  AdjustForNumber(standings);
  if (leader) ShareFirstRank(standings, *leader, significance);
  return standings;
}

std::string FewSeedsNote(int64_t seeds, int64_t comparisons) {
  constexpr double kOutOfReach = 10;
  if (seeds < 2 || comparisons < 1) return "";
  const double needed = StudentTwoSidedQuantile(kSignificance / static_cast<double>(comparisons), seeds - 1);
  if (needed < kOutOfReach) return "";
  return fmt::format(
      "{} seeds tell little apart in {}: a difference must be {:.0f} of its standard errors; P(best) shows more, and gridsweep "
      "seeds adds seeds where they tell most",
      seeds, Plural(comparisons, "comparison"), needed);
}

}  // namespace gridsweep
