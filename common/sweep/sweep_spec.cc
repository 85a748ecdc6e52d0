#include "common/sweep/sweep_spec.h"

#include <algorithm>

#include "common/base/sha256.h"
#include "common/sweep/grid.h"

namespace gridsweep {
namespace {

bool PatternMatches(const ExclusionTerm::Pattern& pattern, const Component& component) {
  if (component.name != pattern.component) return false;
  for (const auto& [name, allowed] : pattern.params) {
    const auto it = component.params.find(name);
    if (it == component.params.end()) return false;
    if (std::find(allowed.begin(), allowed.end(), it->second) == allowed.end()) return false;
  }
  return true;
}

bool ChoiceMatches(const ExclusionTerm::Choice& choice, const AxisValue& value) {
  if (choice.patterns.empty()) return value.components.empty();
  return std::all_of(
      choice.patterns.begin(), choice.patterns.end(), [&](const ExclusionTerm::Pattern& pattern) {
        return std::any_of(value.components.begin(), value.components.end(),
                           [&](const Component& component) { return PatternMatches(pattern, component); });
      });
}

// Runs of excluded combinations, [first, last].
Json ExcludedRuns(const SweepSpec& spec) {
  Json runs = Json::array();
  if (spec.exclude.empty()) return runs;
  const Grid grid(spec);
  for (int64_t index = 0; index < grid.combinations(); ++index) {
    if (!grid.IsExcluded(index)) continue;
    const int64_t first = index;
    while (index + 1 < grid.combinations() && grid.IsExcluded(index + 1)) ++index;
    runs.push_back({first, index});
  }
  return runs;
}

}  // namespace

bool ExclusionTerm::Matches(const AxisValue& value) const {
  return std::any_of(choices.begin(), choices.end(),
                     [&](const Choice& choice) { return ChoiceMatches(choice, value); });
}

std::string AxisValueLabel(const Catalog& catalog, Axis axis, const AxisValue& value) {
  if (axis == Axis::kRegularization) return RegularizationLabel(catalog, value.components);
  return catalog.Label(axis, value.components.front());
}

Json SweepToJson(const SweepSpec& spec) {
  Json grid = Json::object();
  for (const Axis axis : kAllAxes) {
    Json values = Json::array();
    for (const AxisValue& value : spec.axis(axis)) {
      Json components = Json::array();
      for (const Component& component : value.components) components.push_back(ComponentToJson(component));
      values.push_back(std::move(components));
    }
    grid[std::string(AxisName(axis))] = std::move(values);
  }
  return {{"name", spec.name},
          {"dataset", spec.dataset},
          {"training", TrainingToJson(spec.training)},
          {"objective", ObjectiveToJson(spec.objective)},
          {"seeds", spec.seeds},
          {"grid", std::move(grid)},
          {"excluded", ExcludedRuns(spec)}};
}

std::string SweepContentHash(const SweepSpec& spec) {
  return Sha256Hex(SweepToJson(spec).dump());
}

}  // namespace gridsweep
