#include "common/sweep/axis_reader.h"

#include <algorithm>
#include <tuple>

#include "common/catalog/quote.h"
#include "common/sweep/scalar_reader.h"

namespace gridsweep {
namespace {

constexpr std::string_view kNone = "none";

absl::Status ReadParamMap(const SweepSource& source, const YamlNode& map, ComponentChoices& choices) {
  for (const YamlNode& key : map.keys) {
    if (choices.spec->FindParam(key.text) == nullptr) {
      return source.Error(key.at, Message(choices.spec->UnknownParam(key.text)));
    }
  }
  for (const ParamSpec& param : choices.spec->params) {
    const YamlNode* value = FindKey(map, param.name);
    if (value == nullptr) continue;
    const std::string what =
        fmt::format("{} '{}', parameter '{}'", AxisName(choices.spec->axis), choices.spec->name, param.name);
    GS_ASSIGN_OR_RETURN(std::vector<ParamValue> values, ReadParamChoices(source, *value, param, what));
    choices.params.push_back({&param, std::move(values)});
  }
  return absl::OkStatus();
}

// "{lr: 0.001}": how to write a parameter of `spec`.
std::string ParamExample(const ComponentSpec& spec) {
  const ParamSpec& first = spec.params.front();
  return fmt::format("{{{}: {}}}", first.name, ParamValueText(first.default_value));
}

// `key` names the component and `params` is what the file says about it: nothing, a map, or the primary
// parameter.
absl::StatusOr<ComponentChoices> ReadComponent(const SweepSource& source, const YamlNode& key,
                                               const YamlNode* params, Axis axis, const Catalog& catalog) {
  const auto spec = catalog.Find(axis, key.text);
  if (!spec.ok()) return source.Error(key.at, Message(spec.status()));
  ComponentChoices choices{*spec, {}};
  if (params == nullptr || params->IsNull()) return choices;
  if (params->IsMap()) {
    GS_RETURN_IF_ERROR(ReadParamMap(source, *params, choices));
    return choices;
  }
  const std::string what = fmt::format("{} '{}'", AxisName(axis), choices.spec->name);
  const ParamSpec* primary = choices.spec->PrimaryParam();
  if (primary != nullptr) {
    const std::string param_what = fmt::format("{}, parameter '{}'", what, primary->name);
    GS_ASSIGN_OR_RETURN(std::vector<ParamValue> values,
                        ReadParamChoices(source, *params, *primary, param_what));
    choices.params.push_back({primary, std::move(values)});
    return choices;
  }
  if (choices.spec->params.empty()) {
    return source.Error(params->at, fmt::format("{} has no parameters, got {}", what, Describe(*params)));
  }
  return source.Error(params->at, fmt::format("{}: expected a map of parameters such as {}, got {}", what,
                                              ParamExample(*choices.spec), Describe(*params)));
}

absl::Status SeveralComponents(const SweepSource& source, const YamlNode& node, Axis axis,
                               const Catalog& catalog) {
  const YamlNode& first = node.keys[0];
  const YamlNode& second = node.keys[1];
  const auto spec = catalog.Find(axis, first.text);
  if (!spec.ok()) return source.Error(first.at, Message(spec.status()));
  // The usual cause: parameters that are not indented below their component.
  if ((*spec)->FindParam(second.text) != nullptr) {
    return source.Error(
        second.at, fmt::format("'{}' is a parameter of {} '{}': indent it below '{}', or write "
                               "{{{}: {{{}: {}}}}}",
                               second.text, AxisName(axis), first.text, first.text, first.text, second.text,
                               FlowText(node.items[1], 30)));
  }
  return source.Error(second.at,
                      fmt::format("{}: expected one component a value, got {} and {}: write them as two "
                                  "elements of the list",
                                  AxisName(axis), Quoted(first.text), Quoted(second.text)));
}

bool BelongsToNone(const AxisItem& item) {
  return std::any_of(item.components.begin(), item.components.end(),
                     [](const ComponentChoices& component) { return component.spec->name == kNone; });
}

// Every component of an item, varying one parameter after the other like an odometer.
void ExpandItem(const AxisItem& item, std::vector<AxisValue>& values) {
  AxisValue value;
  struct Wheel {
    ParamValue* target;
    const std::vector<ParamValue>* choices;
    size_t at = 0;
  };
  std::vector<Wheel> wheels;
  for (const ComponentChoices& component : item.components) {
    value.components.push_back({component.spec->name, {}});
    for (const ParamSpec& param : component.spec->params) {
      value.components.back().params.emplace(param.name, param.default_value);
    }
  }
  for (size_t i = 0; i < item.components.size(); ++i) {
    for (const auto& param : item.components[i].params) {
      wheels.push_back({&value.components[i].params.at(param.param->name), &param.values});
    }
  }
  for (const Wheel& wheel : wheels) *wheel.target = wheel.choices->front();
  while (true) {
    values.push_back(value);
    size_t turning = wheels.size();
    while (turning > 0) {
      Wheel& wheel = wheels[--turning];
      wheel.at = (wheel.at + 1) % wheel.choices->size();
      *wheel.target = (*wheel.choices)[wheel.at];
      if (wheel.at != 0) break;
      if (turning == 0) return;
    }
    if (wheels.empty()) return;
  }
}

}  // namespace

absl::StatusOr<AxisItem> ReadAxisItem(const SweepSource& source, const YamlNode& node, Axis axis,
                                      const Catalog& catalog) {
  AxisItem item;
  item.at = node.at;
  if (node.IsScalar()) {
    GS_ASSIGN_OR_RETURN(ComponentChoices component, ReadComponent(source, node, nullptr, axis, catalog));
    item.components.push_back(std::move(component));
  } else if (node.IsMap() && !node.keys.empty()) {
    if (node.keys.size() > 1 && axis != Axis::kRegularization) {
      return SeveralComponents(source, node, axis, catalog);
    }
    for (size_t i = 0; i < node.keys.size(); ++i) {
      GS_ASSIGN_OR_RETURN(ComponentChoices component,
                          ReadComponent(source, node.keys[i], &node.items[i], axis, catalog));
      item.components.push_back(std::move(component));
    }
  } else {
    const bool none = node.IsNull() && catalog.Find(axis, kNone).ok();
    return source.Error(node.at,
                        fmt::format("{}: expected a component's name or {{name: {{parameter: value}}}}, got "
                                    "{}{}",
                                    AxisName(axis), Describe(node), none ? " (write none)" : ""));
  }
  if (axis == Axis::kRegularization && BelongsToNone(item)) {
    if (item.components.size() > 1) {
      return source.Error(node.at, "regularization: 'none' cannot be combined with others");
    }
    item.components.clear();
  }
  // The catalog's order, whatever the order in the file: two spellings expand alike.
  std::sort(item.components.begin(), item.components.end(),
            [](const ComponentChoices& a, const ComponentChoices& b) { return a.spec < b.spec; });
  return item;
}

absl::StatusOr<std::vector<AxisItem>> ReadAxis(const SweepSource& source, const YamlNode& node, Axis axis,
                                               const Catalog& catalog) {
  std::vector<AxisItem> items;
  if (!node.IsList()) {
    GS_ASSIGN_OR_RETURN(AxisItem item, ReadAxisItem(source, node, axis, catalog));
    items.push_back(std::move(item));
    return items;
  }
  if (node.items.empty()) {
    return source.Error(node.at,
                        fmt::format("{}: an empty list, expected at least one value", AxisName(axis)));
  }
  for (const YamlNode& child : node.items) {
    if (child.IsList() && axis == Axis::kRegularization) {
      return source.Error(child.at,
                          "regularization: expected a component, got a list: write a combination as a map, "
                          "{l2: 1.0e-4, dropout: 0.3}");
    }
    GS_ASSIGN_OR_RETURN(AxisItem item, ReadAxisItem(source, child, axis, catalog));
    items.push_back(std::move(item));
  }
  return items;
}

GridSize AxisSize(const std::vector<AxisItem>& items) {
  GridSize total(0);
  for (const AxisItem& item : items) {
    GridSize size(1);
    for (const ComponentChoices& component : item.components) {
      for (const auto& param : component.params)
        size.Multiply(GridSize(static_cast<int64_t>(param.values.size())));
    }
    total.Add(size);
  }
  return total;
}

std::vector<AxisValue> ExpandAxis(const std::vector<AxisItem>& items, int64_t* duplicates) {
  std::vector<AxisValue> values;
  for (const AxisItem& item : items) ExpandItem(item, values);
  for (AxisValue& value : values) {
    std::sort(value.components.begin(), value.components.end(),
              [](const Component& a, const Component& b) { return a.name < b.name; });
  }
  std::vector<size_t> order(values.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  const auto less = [](const Component& a, const Component& b) {
    return std::tie(a.name, a.params) < std::tie(b.name, b.params);
  };
  // Equal values become neighbours, the earliest first.
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    const std::vector<Component>& left = values[a].components;
    const std::vector<Component>& right = values[b].components;
    if (std::lexicographical_compare(left.begin(), left.end(), right.begin(), right.end(), less)) return true;
    if (std::lexicographical_compare(right.begin(), right.end(), left.begin(), left.end(), less))
      return false;
    return a < b;
  });
  std::vector<bool> duplicate(values.size(), false);
  for (size_t i = 1; i < order.size(); ++i) duplicate[order[i]] = values[order[i]] == values[order[i - 1]];
  std::vector<AxisValue> distinct;
  for (size_t i = 0; i < values.size(); ++i) {
    if (!duplicate[i]) distinct.push_back(std::move(values[i]));
  }
  *duplicates = static_cast<int64_t>(duplicate.size() - distinct.size());
  return distinct;
}

}  // namespace gridsweep
