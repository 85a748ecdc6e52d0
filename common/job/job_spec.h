// What a job is: everything its numbers depend on, fully resolved. The contract between the coordinator,
// which makes it from a sweep file, and the trainer, which runs it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/json.h"
#include "common/base/status.h"
#include "common/catalog/catalog.h"

namespace gridsweep {

struct TrainingSpec {
  int64_t epochs = 10;       // 1 .. 10,000
  int64_t batch_size = 128;  // images; 1 .. 65,536
  double validation = 0.1;   // share of the training set held out, stratified; 0 <= validation < 1
  int64_t samples = 0;  // train on a stratified subset of this many images (after the split); 0 means all
  friend bool operator==(const TrainingSpec&, const TrainingSpec&) = default;
};

// The fields of TrainingSpec with their bounds, defaults and documentation, named as in a sweep file.
const std::vector<ParamSpec>& TrainingParams();
// REQUIRES: `value` passed Validate of the parameter `name` of TrainingParams().
void SetTrainingParam(TrainingSpec& training, std::string_view name, const ParamValue& value);
Json TrainingToJson(const TrainingSpec& training);

// Metrics a sweep can be ranked by: one value per epoch.
enum class Metric { kTrainLoss, kTrainAccuracy, kValLoss, kValAccuracy, kTestLoss, kTestAccuracy };
inline constexpr Metric kAllMetrics[] = {Metric::kTrainLoss,   Metric::kTrainAccuracy, Metric::kValLoss,
                                         Metric::kValAccuracy, Metric::kTestLoss,      Metric::kTestAccuracy};
std::string_view MetricName(Metric metric);  // "train_loss", …
absl::StatusOr<Metric> ParseMetric(std::string_view name);
bool IsLoss(Metric metric);
bool NeedsValidation(Metric metric);  // val_loss, val_accuracy

enum class Goal { kMin, kMax };
std::string_view GoalName(Goal goal);  // "min", "max"
absl::StatusOr<Goal> ParseGoal(std::string_view name);
enum class EpochRule { kBest, kLast };
std::string_view EpochRuleName(EpochRule rule);  // "best", "last"
absl::StatusOr<EpochRule> ParseEpochRule(std::string_view name);

// What a sweep is ranked by. `epoch` says which epoch of a job counts; among equal epochs the earliest.
struct Objective {
  Metric metric = Metric::kValAccuracy;
  Goal goal = Goal::kMax;
  EpochRule epoch = EpochRule::kBest;
  friend bool operator==(const Objective&, const Objective&) = default;
};

// `metric` with its natural goal (losses down, accuracies up) at its best epoch.
Objective DefaultObjective(Metric metric);
Json ObjectiveToJson(const Objective& objective);

struct JobSpec {
  std::string dataset;         // a name, see common/data
  std::string dataset_digest;  // 64 hex digits; empty until the first trainer has read the data
  Component model;
  Component activation;
  Component optimizer;
  std::vector<Component> regularization;  // sorted by name; empty for none
  Component scheduler;
  TrainingSpec training;
  Objective objective;
  int64_t seed = 0;
  friend bool operator==(const JobSpec&, const JobSpec&) = default;
};

// {"activation":{"name":"relu","params":{}},"dataset":…,"epochs"…}: keys sorted, one spelling for one job.
Json JobSpecToJson(const JobSpec& spec);

// Checks every component and parameter against `catalog` and fills in defaults that are not given. Returns
// INVALID_ARGUMENT or NOT_FOUND naming the field. Required are dataset, model, activation, optimizer and
// seed; unknown fields are refused, because a misspelt one would silently train something else.
absl::StatusOr<JobSpec> JobSpecFromJson(const Json& json, const Catalog& catalog);

// 64 hex digits: SHA-256 over the canonical JSON of what the numbers depend on, without seed, objective and
// digest (a cell), or with the seed (a job). The data set's digest completes a job's identity; the store
// keeps it per sweep.
std::string CellKey(const JobSpec& spec);
std::string JobKey(const JobSpec& spec);
// As JobKey, without the scheduler: on the same data, jobs with equal keys are the same training, bit for bit,
// until their learning rates first differ.
std::string PrefixKey(const JobSpec& spec);

// {"name":"sgd","params":{…}}
Json ComponentToJson(const Component& component);

// "l2(0.0001)+dropout(0.3)" in the catalog's order, or "none".
std::string RegularizationLabel(const Catalog& catalog, const std::vector<Component>& regularization);
// The five labels of a cell, in the order of kAllAxes.
std::vector<std::string> AxisLabels(const Catalog& catalog, const JobSpec& spec);

}  // namespace gridsweep
