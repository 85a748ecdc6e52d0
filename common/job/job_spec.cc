#include "common/job/job_spec.h"

#include <algorithm>

#include "common/base/sha256.h"

namespace gridsweep {
namespace {

// What a job's numbers depend on, besides data and seed.
Json CellToJson(const JobSpec& spec) {
  Json regularization = Json::array();
  for (const Component& component : spec.regularization) regularization.push_back(ComponentToJson(component));
  return {{"dataset", spec.dataset},
          {"model", ComponentToJson(spec.model)},
          {"activation", ComponentToJson(spec.activation)},
          {"optimizer", ComponentToJson(spec.optimizer)},
          {"regularization", std::move(regularization)},
          {"scheduler", ComponentToJson(spec.scheduler)},
          {"training", TrainingToJson(spec.training)}};
}

}  // namespace

Json ComponentToJson(const Component& component) {
  Json params = Json::object();
  for (const auto& [name, value] : component.params) params[name] = ParamValueToJson(value);
  return {{"name", component.name}, {"params", std::move(params)}};
}

Json JobSpecToJson(const JobSpec& spec) {
  Json json = CellToJson(spec);
  json["dataset_digest"] = spec.dataset_digest;
  json["objective"] = ObjectiveToJson(spec.objective);
  json["seed"] = spec.seed;
  return json;
}

std::string CellKey(const JobSpec& spec) {
  return Sha256Hex(CellToJson(spec).dump());
}

std::string JobKey(const JobSpec& spec) {
  Json json = CellToJson(spec);
  json["seed"] = spec.seed;
  return Sha256Hex(json.dump());
}

std::string PrefixKey(const JobSpec& spec) {
  Json json = CellToJson(spec);
  json.erase("scheduler");
  json["seed"] = spec.seed;
  return Sha256Hex(json.dump());
}

std::string RegularizationLabel(const Catalog& catalog, const std::vector<Component>& regularization) {
  std::string label;
  const auto add = [&](const Component& component) {
    if (!label.empty()) label += "+";
    label += catalog.Label(Axis::kRegularization, component);
  };
  for (const ComponentSpec* spec : catalog.OnAxis(Axis::kRegularization)) {
    for (const Component& component : regularization) {
      if (component.name == spec->name) add(component);
    }
  }
  for (const Component& component : regularization) {
    if (!catalog.Find(Axis::kRegularization, component.name).ok()) add(component);
  }
  return label.empty() ? "none" : label;
}

std::vector<std::string> AxisLabels(const Catalog& catalog, const JobSpec& spec) {
  return {catalog.Label(Axis::kModel, spec.model), catalog.Label(Axis::kActivation, spec.activation),
          catalog.Label(Axis::kOptimizer, spec.optimizer), RegularizationLabel(catalog, spec.regularization),
          catalog.Label(Axis::kScheduler, spec.scheduler)};
}

}  // namespace gridsweep
