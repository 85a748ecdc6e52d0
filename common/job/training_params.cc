#include "common/job/job_spec.h"

namespace gridsweep {

const std::vector<ParamSpec>& TrainingParams() {
  static const std::vector<ParamSpec> params = [] {
    const TrainingSpec defaults;
    std::vector<ParamSpec> list(4);
    list[0] = {.name = "epochs",
               .doc = "passes over the training images",
               .type = ParamType::kInt,
               .default_value = defaults.epochs,
               .min = 1,
               .max = 10'000};
    list[1] = {.name = "batch_size",
               .doc = "images per step of the optimizer",
               .type = ParamType::kInt,
               .default_value = defaults.batch_size,
               .min = 1,
               .max = 65'536};
    list[2] = {
        .name = "validation",
        .doc = "share of the training images held out for ranking, stratified; 0 ranks on the test set",
        .type = ParamType::kFloat,
        .default_value = defaults.validation,
        .min = 0,
        .max = 1,
        .max_open = true};
    list[3] = {.name = "samples",
               .doc = "train on a stratified subset of this many images, taken after the split; 0 means all",
               .type = ParamType::kInt,
               .default_value = defaults.samples,
               .min = 0,
               .max = 1'000'000'000};
    return list;
  }();
  return params;
}

void SetTrainingParam(TrainingSpec& training, std::string_view name, const ParamValue& value) {
  if (name == "epochs") training.epochs = std::get<int64_t>(value);
  if (name == "batch_size") training.batch_size = std::get<int64_t>(value);
  if (name == "validation") training.validation = std::get<double>(value);
  if (name == "samples") training.samples = std::get<int64_t>(value);
}

Json TrainingToJson(const TrainingSpec& training) {
  return {{"epochs", training.epochs},
          {"batch_size", training.batch_size},
          {"validation", training.validation},
          {"samples", training.samples}};
}

Json ObjectiveToJson(const Objective& objective) {
  return {{"metric", std::string(MetricName(objective.metric))},
          {"goal", std::string(GoalName(objective.goal))},
          {"epoch", std::string(EpochRuleName(objective.epoch))}};
}

}  // namespace gridsweep
