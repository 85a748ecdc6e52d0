// Reading a job's document: everything is checked, nothing is trusted.
#include <algorithm>
#include <set>

#include "common/catalog/quote.h"
#include "common/job/job_spec.h"

namespace gridsweep {
namespace {

absl::Status CheckFields(const Json& object, const std::vector<std::string>& known) {
  if (!object.is_object()) return InvalidArgument("expected an object, got {}", Quoted(object.dump()));
  for (const auto& [key, value] : object.items()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    const std::string nearest = DidYouMean(key, known);
    return InvalidArgument("unknown field {}{}", Quoted(key),
                           nearest.empty() ? "" : fmt::format(" (did you mean '{}'?)", nearest));
  }
  return absl::OkStatus();
}

absl::StatusOr<Component> ComponentFromJson(const Json& json, Axis axis, const Catalog& catalog) {
  GS_RETURN_IF_ERROR(CheckFields(json, {"name", "params"}));
  GS_ASSIGN_OR_RETURN(const std::string name, GetField<std::string>(json, "name"));
  std::map<std::string, ParamValue> given;
  if (json.contains("params")) {
    const Json& params = json["params"];
    if (!params.is_object())
      return InvalidArgument("field \"params\" is not an object: {}", Quoted(params.dump()));
    for (const auto& [key, value] : params.items()) {
      absl::StatusOr<ParamValue> param = ParamValueFromJson(value);
      if (!param.ok()) return Annotate(param.status(), fmt::format("parameter {}", Quoted(key)));
      given.emplace(key, *std::move(param));
    }
  }
  return catalog.Resolve(axis, name, given);
}

absl::Status ReadComponent(const Json& json, Axis axis, const Catalog& catalog, Component& component) {
  const std::string key(AxisName(axis));
  if (!json.contains(key)) return InvalidArgument("missing field \"{}\"", key);
  absl::StatusOr<Component> read = ComponentFromJson(json[key], axis, catalog);
  if (!read.ok()) return Annotate(read.status(), fmt::format("field \"{}\"", key));
  component = *std::move(read);
  return absl::OkStatus();
}

absl::Status ReadRegularization(const Json& json, const Catalog& catalog,
                                std::vector<Component>& components) {
  if (!json.is_array()) return InvalidArgument("expected a list, got {}", Quoted(json.dump()));
  std::set<std::string> names;
  for (const Json& item : json) {
    GS_ASSIGN_OR_RETURN(Component component, ComponentFromJson(item, Axis::kRegularization, catalog));
    // An empty list is the one spelling of no regularization.
    if (component.name == "none") return InvalidArgument("'none' cannot be an element, write an empty list");
    if (!names.insert(component.name).second) return InvalidArgument("'{}' appears twice", component.name);
    components.push_back(std::move(component));
  }
  std::sort(components.begin(), components.end(),
            [](const Component& a, const Component& b) { return a.name < b.name; });
  return absl::OkStatus();
}

absl::Status ReadTraining(const Json& json, TrainingSpec& training) {
  std::vector<std::string> names;
  for (const ParamSpec& param : TrainingParams()) names.push_back(param.name);
  GS_RETURN_IF_ERROR(CheckFields(json, names));
  for (const ParamSpec& param : TrainingParams()) {
    if (!json.contains(param.name)) continue;
    absl::StatusOr<ParamValue> value = ParamValueFromJson(json[param.name]);
    if (value.ok()) value = param.Validate(*value);
    if (!value.ok()) return Annotate(value.status(), fmt::format("field \"{}\"", param.name));
    SetTrainingParam(training, param.name, *value);
  }
  return absl::OkStatus();
}

absl::Status ReadObjective(const Json& json, Objective& objective) {
  GS_RETURN_IF_ERROR(CheckFields(json, {"metric", "goal", "epoch"}));
  GS_ASSIGN_OR_RETURN(const std::string metric_name, GetField<std::string>(json, "metric"));
  GS_ASSIGN_OR_RETURN(const Metric metric, ParseMetric(metric_name));
  objective = DefaultObjective(metric);
  if (json.contains("goal")) {
    GS_ASSIGN_OR_RETURN(const std::string goal, GetField<std::string>(json, "goal"));
    GS_ASSIGN_OR_RETURN(objective.goal, ParseGoal(goal));
  }
  if (json.contains("epoch")) {
    GS_ASSIGN_OR_RETURN(const std::string epoch, GetField<std::string>(json, "epoch"));
    GS_ASSIGN_OR_RETURN(objective.epoch, ParseEpochRule(epoch));
  }
  return absl::OkStatus();
}

bool IsDigest(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

absl::StatusOr<JobSpec> JobSpecFromJson(const Json& json, const Catalog& catalog) {
  GS_RETURN_IF_ERROR(CheckFields(json, {"activation", "dataset", "dataset_digest", "model", "objective",
                                        "optimizer", "regularization", "scheduler", "seed", "training"}));
  JobSpec spec;
  GS_ASSIGN_OR_RETURN(spec.dataset, GetField<std::string>(json, "dataset"));
  if (spec.dataset.empty()) return InvalidArgument("field \"dataset\" is empty");
  if (json.contains("dataset_digest")) {
    GS_ASSIGN_OR_RETURN(spec.dataset_digest, GetField<std::string>(json, "dataset_digest"));
    if (!spec.dataset_digest.empty() && !IsDigest(spec.dataset_digest)) {
      return InvalidArgument("field \"dataset_digest\": expected 64 hex digits, got {}",
                             Quoted(spec.dataset_digest));
    }
  }
  GS_RETURN_IF_ERROR(ReadComponent(json, Axis::kModel, catalog, spec.model));
  GS_RETURN_IF_ERROR(ReadComponent(json, Axis::kActivation, catalog, spec.activation));
  GS_RETURN_IF_ERROR(ReadComponent(json, Axis::kOptimizer, catalog, spec.optimizer));
  if (json.contains("regularization")) {
    GS_RETURN_IF_ERROR(Annotate(ReadRegularization(json["regularization"], catalog, spec.regularization),
                                "field \"regularization\""));
  }
  if (json.contains("scheduler")) {
    GS_RETURN_IF_ERROR(ReadComponent(json, Axis::kScheduler, catalog, spec.scheduler));
  } else {
    GS_ASSIGN_OR_RETURN(spec.scheduler, catalog.Resolve(Axis::kScheduler, "none", {}));
  }
  if (json.contains("training")) {
    GS_RETURN_IF_ERROR(Annotate(ReadTraining(json["training"], spec.training), "field \"training\""));
  }
  if (json.contains("objective")) {
    GS_RETURN_IF_ERROR(Annotate(ReadObjective(json["objective"], spec.objective), "field \"objective\""));
  } else {
    spec.objective =
        DefaultObjective(spec.training.validation > 0 ? Metric::kValAccuracy : Metric::kTestAccuracy);
  }
  if (NeedsValidation(spec.objective.metric) && spec.training.validation == 0) {
    return InvalidArgument("field \"objective\": {} needs validation > 0", MetricName(spec.objective.metric));
  }
  const auto seed = json.find("seed");
  if (seed == json.end()) return InvalidArgument("missing field \"seed\"");
  if (!seed->is_number_integer()) {
    return InvalidArgument("field \"seed\": expected an int, got {}", Quoted(seed->dump()));
  }
  GS_ASSIGN_OR_RETURN(spec.seed, GetField<int64_t>(json, "seed"));
  return spec;
}

}  // namespace gridsweep
