#include "common/results/mean_interval.h"

#include <algorithm>
#include <cmath>

#include "common/results/distributions.h"

namespace gridsweep {

Measure MeasureOf(const Objective& objective, const TrainingSpec& training, const DatasetInfo& dataset) {
  return {.goal = objective.goal,
          .images = IsLoss(objective.metric) ? 0 : MeasuredImages(objective.metric, training, dataset)};
}

std::string_view EvidenceName(Evidence evidence) {
  switch (evidence) {
    case Evidence::kNone:
      return "none";
    case Evidence::kSeeds:
      return "seeds";
    case Evidence::kBinomial:
      return "binomial";
  }
  return "none";
}

double MeanOf(const std::vector<SeedValue>& values) {
  double sum = 0;
  for (const SeedValue& value : values) sum += value.value;
  return sum / static_cast<double>(values.size());
}

double BinomialVariance(double share, int64_t images) {
  const double p = std::clamp(share, 0.0, 1.0);
  return p * (1 - p) / static_cast<double>(images);
}

std::optional<MeanInterval> DescribeMean(const std::vector<SeedValue>& values, const Measure& measure) {
  if (values.empty()) return std::nullopt;
  MeanInterval result{.n = static_cast<int64_t>(values.size()), .mean = MeanOf(values)};
  if (result.n == 1) {
    if (measure.images > 0) {
      result.ci = Normal975() * std::sqrt(BinomialVariance(result.mean, measure.images));
      result.evidence = Evidence::kBinomial;
    }
    return result;
  }
  double squares = 0;
  for (const SeedValue& value : values) squares += (value.value - result.mean) * (value.value - result.mean);
  const double sd = std::sqrt(squares / static_cast<double>(result.n - 1));
  if (!std::isfinite(sd)) return result;  // values near the largest double
  result.sd = sd;
  result.ci = StudentT975(result.n - 1) * sd / std::sqrt(static_cast<double>(result.n));
  result.evidence = Evidence::kSeeds;
  return result;
}

}  // namespace gridsweep
