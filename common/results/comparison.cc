#include "common/results/comparison.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace gridsweep {
namespace {

// "optimizer.params.lr" → its JSON text.
void Flatten(const Json& json, const std::string& path, std::map<std::string, std::string>& out) {
  if (!json.is_object()) {
    out[path] = json.dump();
    return;
  }
  for (const auto& [key, value] : json.items()) Flatten(value, path.empty() ? key : path + "." + key, out);
}

absl::StatusOr<std::map<std::string, std::string>> Parameters(const ComparedSide& side) {
  std::map<std::string, std::string> parameters;
  GS_ASSIGN_OR_RETURN(Json json, ParseJson(side.jobs.front().params_json));
  if (side.jobs.size() > 1) json.erase("seed");
  Flatten(json, "", parameters);
  return parameters;
}

// How its jobs split the training images, which is all that MeasuredImages needs.
absl::StatusOr<TrainingSpec> SplitOf(const ComparedSide& side) {
  GS_ASSIGN_OR_RETURN(const Json json, ParseJson(side.jobs.front().params_json));
  GS_ASSIGN_OR_RETURN(const Json training, GetField<Json>(json, "training"));
  TrainingSpec split;
  GS_ASSIGN_OR_RETURN(split.validation, GetField<double>(training, "validation"));
  GS_ASSIGN_OR_RETURN(split.samples, GetField<int64_t>(training, "samples"));
  return split;
}

std::vector<ParameterDifference> DifferingParameters(const std::map<std::string, std::string>& a,
                                                     const std::map<std::string, std::string>& b) {
  std::map<std::string, ParameterDifference> all;
  for (const auto& [name, value] : a) all[name].a = value;
  for (const auto& [name, value] : b) all[name].b = value;
  std::vector<ParameterDifference> differing;
  for (auto& [name, parameter] : all) {
    parameter.name = name;
    if (parameter.a != parameter.b) differing.push_back(parameter);
  }
  return differing;
}

bool HasResult(const JobReport& job) {
  return job.objective.has_value() && job.objective_epoch > 0;
}

// The epoch that counts.
const EpochMetrics* ObjectiveEpochOf(const JobReport& job) {
  const auto at = std::find_if(job.epochs.begin(), job.epochs.end(), [&job](const EpochMetrics& epoch) {
    return epoch.epoch == job.objective_epoch;
  });
  return at == job.epochs.end() ? nullptr : &*at;
}

template <typename Figure>
std::vector<SeedValue> Values(const ComparedSide& side, Figure figure) {
  std::vector<SeedValue> values;
  for (const JobReport& job : side.jobs) {
    if (!HasResult(job)) continue;
    if (const std::optional<double> value = figure(job); value && std::isfinite(*value))
      values.push_back({job.seed, *value});
  }
  std::sort(values.begin(), values.end(),
            [](const SeedValue& x, const SeedValue& y) { return x.seed < y.seed; });
  return values;
}

MetricDifference CompareValues(std::string metric, const std::vector<SeedValue>& a,
                               const std::vector<SeedValue>& b, const Measure& measure) {
  MetricDifference result{
      .metric = std::move(metric), .a = DescribeMean(a, measure), .b = DescribeMean(b, measure)};
  if (!a.empty() && !b.empty()) result.difference = Compare(a, b, measure);
  return result;
}

std::vector<MetricDifference> CompareMetrics(const ComparedSide& a, const ComparedSide& b,
                                             const TrainingSpec& training) {
  std::vector<MetricDifference> metrics;
  for (const Metric metric : kAllMetrics) {
    const auto figure = [metric](const JobReport& job) -> std::optional<double> {
      const EpochMetrics* const epoch = ObjectiveEpochOf(job);
      return epoch == nullptr ? std::nullopt : MetricValue(*epoch, metric);
    };
    const Measure measure = {
        .goal = IsLoss(metric) ? Goal::kMin : Goal::kMax,
        .images = IsLoss(metric) ? 0 : MeasuredImages(metric, training, a.jobs.front().dataset)};
    MetricDifference compared =
        CompareValues(std::string(MetricName(metric)), Values(a, figure), Values(b, figure), measure);
    if (compared.a || compared.b) metrics.push_back(std::move(compared));
  }
  const auto seconds = [](const JobReport& job) -> std::optional<double> {
    double sum = 0;
    for (const EpochMetrics& epoch : job.epochs)
      sum += epoch.seconds / static_cast<double>(std::max<int64_t>(epoch.shared_by, 1));
    return sum;
  };
  metrics.push_back(CompareValues("seconds", Values(a, seconds), Values(b, seconds), {.goal = Goal::kMin}));
  return metrics;
}

// Means by epoch.
std::map<int64_t, double> MeanCurve(const ComparedSide& side, Metric metric) {
  std::map<int64_t, std::vector<SeedValue>> by_epoch;
  for (const JobReport& job : side.jobs) {
    for (const EpochMetrics& epoch : job.epochs) {
      if (const auto value = MetricValue(epoch, metric); value && std::isfinite(*value))
        by_epoch[epoch.epoch].push_back({job.seed, *value});
    }
  }
  std::map<int64_t, double> curve;
  for (const auto& [epoch, values] : by_epoch) curve[epoch] = MeanOf(values);
  return curve;
}

std::vector<EpochDifference> CompareCurves(const ComparedSide& a, const ComparedSide& b, Metric metric) {
  std::map<int64_t, EpochDifference> epochs;
  for (const auto& [epoch, value] : MeanCurve(a, metric)) epochs[epoch].a = value;
  for (const auto& [epoch, value] : MeanCurve(b, metric)) epochs[epoch].b = value;
  std::vector<EpochDifference> curve;
  for (auto& [epoch, difference] : epochs) {
    difference.epoch = epoch;
    curve.push_back(difference);
  }
  return curve;
}

// How often each label was said about an image.
using Votes = std::map<int64_t, int64_t>;

int64_t MostVoted(const Votes& votes) {
  return std::max_element(votes.begin(), votes.end(),
                          [](const auto& x, const auto& y) { return x.second < y.second; })
      ->first;
}

// Jobs of the two sides with the same seed; of two single jobs the two, whatever their seeds.
std::vector<std::pair<const JobReport*, const JobReport*>> Pairs(const ComparedSide& a,
                                                                 const ComparedSide& b) {
  if (a.jobs.size() == 1 && b.jobs.size() == 1) return {{&a.jobs.front(), &b.jobs.front()}};
  std::vector<std::pair<const JobReport*, const JobReport*>> pairs;
  for (const JobReport& one : a.jobs) {
    for (const JobReport& other : b.jobs) {
      if (one.seed == other.seed) pairs.emplace_back(&one, &other);
    }
  }
  return pairs;
}

void ComparePredictions(const ComparedSide& a, const ComparedSide& b, Comparison& comparison) {
  struct Seen {
    ImageDifference image;
    Votes a, b;
  };
  std::map<int64_t, Seen> images;
  for (const auto& [one, other] : Pairs(a, b)) {
    std::map<int64_t, const Prediction*> theirs;
    for (const Prediction& prediction : other->evaluation.predictions) theirs[prediction.index] = &prediction;
    for (const Prediction& mine : one->evaluation.predictions) {
      const auto found = theirs.find(mine.index);
      if (found == theirs.end()) continue;
      const bool a_right = mine.predicted == mine.actual;
      const bool b_right = found->second->predicted == mine.actual;
      comparison.both_right += a_right && b_right;
      comparison.only_a_right += a_right && !b_right;
      comparison.only_b_right += !a_right && b_right;
      comparison.both_wrong += !a_right && !b_right;
      Seen& seen = images[mine.index];
      seen.image.image = mine.index;
      seen.image.actual = mine.actual;
      ++seen.image.seeds;
      seen.image.a_right += a_right;
      seen.image.b_right += b_right;
      ++seen.a[mine.predicted];
      ++seen.b[found->second->predicted];
    }
  }
  for (auto& [index, seen] : images) {
    if (seen.a == seen.b) continue;
    seen.image.a_says = MostVoted(seen.a);
    seen.image.b_says = MostVoted(seen.b);
    comparison.images.push_back(seen.image);
  }
  std::stable_sort(comparison.images.begin(), comparison.images.end(),
                   [](const ImageDifference& x, const ImageDifference& y) {
                     return std::abs(x.a_right - x.b_right) > std::abs(y.a_right - y.b_right);
                   });
}

// Counts a job; empty if no job has a matrix, or they differ in size.
std::vector<double> MeanConfusion(const ComparedSide& side) {
  std::vector<double> sum;
  int64_t jobs = 0;
  for (const JobReport& job : side.jobs) {
    const std::vector<int64_t>& matrix = job.evaluation.confusion;
    if (matrix.empty()) continue;
    if (sum.empty()) sum.resize(matrix.size(), 0);
    if (sum.size() != matrix.size()) return {};
    for (size_t i = 0; i < matrix.size(); ++i) sum[i] += static_cast<double>(matrix[i]);
    ++jobs;
  }
  for (double& count : sum) count /= static_cast<double>(jobs);
  return sum;
}

std::vector<ConfusionDifference> CompareConfusions(const ComparedSide& a, const ComparedSide& b) {
  const std::vector<double> of_a = MeanConfusion(a);
  const std::vector<double> of_b = MeanConfusion(b);
  std::vector<ConfusionDifference> differences;
  if (of_a.empty() || of_a.size() != of_b.size()) return differences;
  const auto classes = static_cast<int64_t>(std::llround(std::sqrt(static_cast<double>(of_a.size()))));
  for (int64_t i = 0; i < static_cast<int64_t>(of_a.size()); ++i) {
    if (i / classes == i % classes) continue;
    const double in_a = of_a[static_cast<size_t>(i)];
    const double in_b = of_b[static_cast<size_t>(i)];
    if (in_a != in_b)
      differences.push_back({.actual = i / classes, .predicted = i % classes, .a = in_a, .b = in_b});
  }
  std::stable_sort(differences.begin(), differences.end(),
                   [](const ConfusionDifference& x, const ConfusionDifference& y) {
                     return std::abs(x.a - x.b) > std::abs(y.a - y.b);
                   });
  return differences;
}

}  // namespace

absl::StatusOr<Comparison> CompareSides(const ComparedSide& a, const ComparedSide& b,
                                        std::string curve_metric) {
  if (a.jobs.empty() || b.jobs.empty()) return InvalidArgument("there is no job to compare");
  const DatasetInfo& one = a.jobs.front().dataset;
  const DatasetInfo& other = b.jobs.front().dataset;
  if (one.name != other.name || (!one.digest.empty() && !other.digest.empty() && one.digest != other.digest))
    return InvalidArgument("{} is of data set '{}' and {} of '{}'{}: their figures cannot be compared",
                           a.name, one.name, b.name, other.name,
                           one.name == other.name ? ", with other content" : "");
  Comparison comparison;
  comparison.curve_metric = curve_metric.empty() ? a.jobs.front().metric : std::move(curve_metric);
  GS_ASSIGN_OR_RETURN(const Metric metric, ParseMetric(comparison.curve_metric));
  GS_ASSIGN_OR_RETURN(const auto parameters_a, Parameters(a));
  GS_ASSIGN_OR_RETURN(const auto parameters_b, Parameters(b));
  comparison.parameters = DifferingParameters(parameters_a, parameters_b);
  GS_ASSIGN_OR_RETURN(const TrainingSpec split, SplitOf(a));
  comparison.metrics = CompareMetrics(a, b, split);
  comparison.curve = CompareCurves(a, b, metric);
  ComparePredictions(a, b, comparison);
  comparison.confusions = CompareConfusions(a, b);
  return comparison;
}

}  // namespace gridsweep
