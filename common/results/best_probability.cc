#include "common/results/best_probability.h"

#include <algorithm>
#include <boost/random/mersenne_twister.hpp>
#include <boost/random/normal_distribution.hpp>
#include <boost/random/uniform_int_distribution.hpp>
#include <cmath>
#include <map>
#include <set>

namespace gridsweep {
namespace {

constexpr uint64_t kRandomSeed = 1979;  // any; fixed
constexpr int64_t kSamples = 10'000;
constexpr int64_t kFewestSamples = 1'000;
constexpr int64_t kDrawsInAll = 4'000'000;  // cells times samples; some 50 ms
constexpr double kFarAway =
    5;  // standard errors: beyond it a cell is the best in less than one sample of a million

// Greater is better.
double Merit(double value, Goal goal) {
  return goal == Goal::kMax ? value : -value;
}

int64_t SamplesFor(size_t cells) {
  return std::clamp(kDrawsInAll / static_cast<int64_t>(std::max<size_t>(cells, 1)), kFewestSamples, kSamples);
}

// Adds `weight` to those of `wins` whose merit is the greatest, in equal parts.
void Award(const std::vector<std::optional<double>>& merits, double weight, std::vector<double>& wins) {
  std::optional<double> best;
  int64_t equals = 0;
  for (const auto& merit : merits) {
    if (!merit || (best && *merit < *best)) continue;
    equals = best && *merit == *best ? equals + 1 : 1;
    best = merit;
  }
  if (!best) return;
  for (size_t i = 0; i < merits.size(); ++i) {
    if (merits[i] && *merits[i] == *best) wins[i] += weight / static_cast<double>(equals);
  }
}

// The merits of a cell by index of seed; NaN where it has none.
using Merits = std::vector<double>;

std::vector<int64_t> AllSeeds(const std::vector<CellObjectives>& cells) {
  std::set<int64_t> seeds;
  for (const CellObjectives& cell : cells) {
    for (const SeedValue& value : cell.values) seeds.insert(value.seed);
  }
  return {seeds.begin(), seeds.end()};
}

Merits BySeed(const CellObjectives& cell, const std::vector<int64_t>& seeds, Goal goal) {
  Merits merits(seeds.size(), std::nan(""));
  for (const SeedValue& value : cell.values) {
    const auto place = std::lower_bound(seeds.begin(), seeds.end(), value.seed) - seeds.begin();
    merits[static_cast<size_t>(place)] = Merit(value.value, goal);
  }
  return merits;
}

// Whether `cell` is worse than `leader` in every sample: both have all seeds, and it is worse with each.
bool AlwaysWorse(const Merits& cell, const Merits& leader) {
  for (size_t seed = 0; seed < cell.size(); ++seed) {
    if (!(cell[seed] < leader[seed])) return false;
  }
  return true;
}

// Over the seeds drawn, `times[s]` times each; nullopt if it has none of them.
std::optional<double> ResampledMean(const Merits& merits, const std::vector<int>& times) {
  double sum = 0;
  int count = 0;
  for (size_t seed = 0; seed < merits.size(); ++seed) {
    if (times[seed] == 0 || std::isnan(merits[seed])) continue;
    sum += times[seed] * merits[seed];
    count += times[seed];
  }
  if (count == 0) return std::nullopt;
  return sum / count;
}

// How often each way of drawing the seeds comes: of few seeds there are few ways.
std::map<std::vector<int>, int64_t> DrawSeeds(size_t seeds, int64_t samples) {
  boost::random::mt19937_64 generator(kRandomSeed);
  boost::random::uniform_int_distribution<size_t> seed(0, seeds - 1);
  std::map<std::vector<int>, int64_t> draws;
  for (int64_t sample = 0; sample < samples; ++sample) {
    std::vector<int> times(seeds, 0);
    for (size_t i = 0; i < seeds; ++i) ++times[seed(generator)];
    ++draws[times];
  }
  return draws;
}

std::vector<double> ResampleSeeds(const std::vector<CellObjectives>& cells, const Measure& measure) {
  const std::vector<int64_t> seeds = AllSeeds(cells);
  std::vector<Merits> merits;
  for (const CellObjectives& cell : cells) merits.push_back(BySeed(cell, seeds, measure.goal));
  // Samples are drawn for those alone that can win one.
  const size_t leader = *FindLeader(cells, measure.goal);
  std::vector<size_t> candidates;
  for (size_t i = 0; i < cells.size(); ++i) {
    if (!cells[i].values.empty() && !AlwaysWorse(merits[i], merits[leader])) candidates.push_back(i);
  }
  std::vector<double> candidate_wins(candidates.size(), 0);
  std::vector<std::optional<double>> sample(candidates.size());
  const int64_t samples = SamplesFor(candidates.size());
  for (const auto& [times, count] : DrawSeeds(seeds.size(), samples)) {
    for (size_t i = 0; i < candidates.size(); ++i) sample[i] = ResampledMean(merits[candidates[i]], times);
    Award(sample, static_cast<double>(count), candidate_wins);
  }
  std::vector<double> wins(cells.size(), 0);
  for (size_t i = 0; i < candidates.size(); ++i) wins[candidates[i]] = candidate_wins[i];
  return wins;
}

// Cells in the order of their ordinals: the order in which random numbers are handed out must not depend on the input's.
std::vector<size_t> GridOrder(const std::vector<CellObjectives>& cells) {
  std::vector<size_t> order;
  for (size_t i = 0; i < cells.size(); ++i) {
    if (!cells[i].values.empty()) order.push_back(i);
  }
  std::sort(order.begin(), order.end(), [&cells](size_t a, size_t b) {
    return std::pair(cells[a].ordinal, cells[a].cell) < std::pair(cells[b].ordinal, cells[b].cell);
  });
  return order;
}

std::vector<double> ResampleImages(const std::vector<CellObjectives>& cells, const Measure& measure) {
  const auto share = [&cells](size_t i) { return cells[i].values.front().value; };
  const size_t leader = *FindLeader(cells, measure.goal);
  const double leader_variance = BinomialVariance(share(leader), measure.images);
  std::vector<size_t> candidates;
  for (const size_t i : GridOrder(cells)) {
    const double error = std::sqrt(BinomialVariance(share(i), measure.images) + leader_variance);
    if (std::abs(share(leader) - share(i)) <= kFarAway * error) candidates.push_back(i);
  }
  boost::random::mt19937_64 generator(kRandomSeed);
  boost::random::normal_distribution<double> normal;
  std::vector<double> candidate_wins(candidates.size(), 0);
  std::vector<std::optional<double>> sample(candidates.size());
  const int64_t samples = SamplesFor(candidates.size());
  for (int64_t k = 0; k < samples; ++k) {
    for (size_t i = 0; i < candidates.size(); ++i) {
      const double p = share(candidates[i]);
      sample[i] = Merit(p + std::sqrt(BinomialVariance(p, measure.images)) * normal(generator), measure.goal);
    }
    Award(sample, 1, candidate_wins);
  }
  std::vector<double> wins(cells.size(), 0);
  for (size_t i = 0; i < candidates.size(); ++i) wins[candidates[i]] = candidate_wins[i];
  return wins;
}

}  // namespace

std::vector<std::optional<double>> BestProbabilities(const std::vector<CellObjectives>& cells,
                                                     const Measure& measure) {
  std::vector<std::optional<double>> probabilities(cells.size());
  const size_t seeds = AllSeeds(cells).size();
  if (seeds == 0 || (seeds == 1 && measure.images == 0)) return probabilities;
  const std::vector<double> wins = seeds > 1 ? ResampleSeeds(cells, measure) : ResampleImages(cells, measure);
  double samples = 0;
  for (const double won : wins) samples += won;
  for (size_t i = 0; i < cells.size(); ++i) {
    if (!cells[i].values.empty()) probabilities[i] = wins[i] / samples;
  }
  return probabilities;
}

}  // namespace gridsweep
