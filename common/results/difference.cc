#include "common/results/difference.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "common/results/distributions.h"

namespace gridsweep {
namespace {

double MeanOf(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// The values of the seeds that both have, in seed order.
void TakeCommon(const std::vector<SeedValue>& a, const std::vector<SeedValue>& b, std::vector<double>& from_a,
                std::vector<double>& from_b) {
  auto ib = b.begin();
  for (const SeedValue& value : a) {
    while (ib != b.end() && ib->seed < value.seed) ++ib;
    if (ib == b.end()) return;
    if (ib->seed != value.seed) continue;
    from_a.push_back(value.value);
    from_b.push_back(ib->value);
  }
}

// `error` is the standard error of the mean difference.
double Ratio(double mean, double error) {
  if (error > 0) return mean / error;
  return mean == 0 ? 0 : std::numeric_limits<double>::infinity();
}

Difference PairedBySeed(const std::vector<double>& a, const std::vector<double>& b, int64_t images) {
  std::vector<double> differences(a.size());
  std::transform(a.begin(), a.end(), b.begin(), differences.begin(), std::minus<>());
  const auto n = static_cast<double>(differences.size());
  const double mean = MeanOf(differences);
  double squares = 0;
  for (const double difference : differences) squares += (difference - mean) * (difference - mean);
  double variance = squares / (n - 1);
  if (images > 0) {
    const double step = 1 / static_cast<double>(images);
    variance = std::max(variance, step * step / 6);
  }
  const double error = std::sqrt(variance / n);
  const auto df = static_cast<int64_t>(differences.size()) - 1;
  return {.evidence = Evidence::kSeeds,
          .n = df + 1,
          .mean = mean,
          .ci = StudentT975(df) * error,
          .p = StudentTwoSidedP(Ratio(mean, error), df)};
}

Difference ByImages(double a, double b, int64_t images) {
  const double error = std::sqrt(BinomialVariance(a, images) + BinomialVariance(b, images));
  return {.evidence = Evidence::kBinomial,
          .n = 1,
          .mean = a - b,
          .ci = Normal975() * error,
          .p = NormalTwoSidedP(Ratio(a - b, error))};
}

}  // namespace

Difference Compare(const std::vector<SeedValue>& a, const std::vector<SeedValue>& b, const Measure& measure) {
  std::vector<double> from_a;
  std::vector<double> from_b;
  TakeCommon(a, b, from_a, from_b);
  if (from_a.size() >= 2) return PairedBySeed(from_a, from_b, measure.images);
  if (from_a.size() == 1 && measure.images > 0)
    return ByImages(from_a.front(), from_b.front(), measure.images);
  if (from_a.empty() && a.size() == 1 && b.size() == 1 && measure.images > 0)
    return ByImages(a.front().value, b.front().value, measure.images);
  if (from_a.size() == 1) return {.n = 1, .mean = from_a.front() - from_b.front()};
  return {.mean = MeanOf(a) - MeanOf(b)};
}

std::vector<double> HolmAdjusted(const std::vector<double>& p) {
  std::vector<size_t> order(p.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&p](size_t i, size_t j) { return p[i] < p[j]; });
  std::vector<double> adjusted(p.size());
  double largest = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    const auto left = static_cast<double>(order.size() - i);
    largest = std::max(largest, std::min(1.0, left * p[order[i]]));
    adjusted[order[i]] = largest;
  }
  return adjusted;
}

}  // namespace gridsweep
