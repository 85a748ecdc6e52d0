#include "common/job/metrics.h"

#include <algorithm>
#include <cmath>

#include "common/catalog/quote.h"

namespace gridsweep {

std::string_view MetricName(Metric metric) {
  switch (metric) {
    case Metric::kTrainLoss:
      return "train_loss";
    case Metric::kTrainAccuracy:
      return "train_accuracy";
    case Metric::kValLoss:
      return "val_loss";
    case Metric::kValAccuracy:
      return "val_accuracy";
    case Metric::kTestLoss:
      return "test_loss";
    case Metric::kTestAccuracy:
      return "test_accuracy";
  }
  return "unknown";
}

absl::StatusOr<Metric> ParseMetric(std::string_view name) {
  std::vector<std::string> names;
  std::string joined;
  for (const Metric metric : kAllMetrics) {
    if (MetricName(metric) == name) return metric;
    names.emplace_back(MetricName(metric));
    joined += (joined.empty() ? "" : ", ") + names.back();
  }
  const std::string nearest = DidYouMean(name, names);
  return InvalidArgument("unknown metric {}{}, expected one of {}", Quoted(name),
                         nearest.empty() ? "" : fmt::format(" (did you mean '{}'?)", nearest), joined);
}

bool IsLoss(Metric metric) {
  return metric == Metric::kTrainLoss || metric == Metric::kValLoss || metric == Metric::kTestLoss;
}

bool NeedsValidation(Metric metric) {
  return metric == Metric::kValLoss || metric == Metric::kValAccuracy;
}

std::string_view GoalName(Goal goal) {
  return goal == Goal::kMin ? "min" : "max";
}

absl::StatusOr<Goal> ParseGoal(std::string_view name) {
  if (name == "min") return Goal::kMin;
  if (name == "max") return Goal::kMax;
  return InvalidArgument("unknown goal {}, expected min or max", Quoted(name));
}

std::string_view EpochRuleName(EpochRule rule) {
  return rule == EpochRule::kBest ? "best" : "last";
}

absl::StatusOr<EpochRule> ParseEpochRule(std::string_view name) {
  if (name == "best") return EpochRule::kBest;
  if (name == "last") return EpochRule::kLast;
  return InvalidArgument("unknown epoch {}, expected best or last", Quoted(name));
}

Objective DefaultObjective(Metric metric) {
  return {metric, IsLoss(metric) ? Goal::kMin : Goal::kMax, EpochRule::kBest};
}

std::optional<double> MetricValue(const EpochMetrics& epoch, Metric metric) {
  switch (metric) {
    case Metric::kTrainLoss:
      return epoch.train_loss;
    case Metric::kTrainAccuracy:
      return epoch.train_accuracy;
    case Metric::kValLoss:
      return epoch.val_loss;
    case Metric::kValAccuracy:
      return epoch.val_accuracy;
    case Metric::kTestLoss:
      return epoch.test_loss;
    case Metric::kTestAccuracy:
      return epoch.test_accuracy;
  }
  return std::nullopt;
}

std::optional<size_t> ObjectiveEpoch(const std::vector<EpochMetrics>& epochs, const Objective& objective) {
  if (epochs.empty()) return std::nullopt;
  if (objective.epoch == EpochRule::kLast) return epochs.size() - 1;
  std::optional<size_t> best;
  double best_value = 0;
  for (size_t i = 0; i < epochs.size(); ++i) {
    const std::optional<double> value = MetricValue(epochs[i], objective.metric);
    if (!value || !std::isfinite(*value)) continue;
    const bool better = objective.goal == Goal::kMin ? *value < best_value : *value > best_value;
    if (!best || better) {
      best = i;
      best_value = *value;
    }
  }
  return best;
}

int64_t MeasuredImages(Metric metric, const TrainingSpec& training, const DatasetInfo& dataset) {
  // As StratifiedSplit holds out and keeps.
  const int64_t held = std::llround(training.validation * static_cast<double>(dataset.train_size));
  const int64_t rest = dataset.train_size - held;
  switch (metric) {
    case Metric::kTestLoss:
    case Metric::kTestAccuracy:
      return dataset.test_size;
    case Metric::kValLoss:
    case Metric::kValAccuracy:
      return held;
    case Metric::kTrainLoss:
    case Metric::kTrainAccuracy:
      return training.samples > 0 ? std::min(training.samples, rest) : rest;
  }
  return 0;
}

}  // namespace gridsweep
