#include "common/catalog/catalog.h"

#include "common/catalog/quote.h"

namespace gridsweep {

// Defined by the build: the bytes of catalog.json.
namespace embedded {
extern const std::string_view kCatalogJson;
}

namespace {

std::string Joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

// " (did you mean 'adam'?)" or nothing.
std::string Suggestion(std::string_view name, const std::vector<std::string>& candidates) {
  const std::string nearest = DidYouMean(name, candidates);
  return nearest.empty() ? "" : fmt::format(" (did you mean '{}'?)", nearest);
}

}  // namespace

std::string_view AxisName(Axis axis) {
  switch (axis) {
    case Axis::kModel:
      return "model";
    case Axis::kActivation:
      return "activation";
    case Axis::kOptimizer:
      return "optimizer";
    case Axis::kRegularization:
      return "regularization";
    case Axis::kScheduler:
      return "scheduler";
  }
  return "unknown";
}

absl::StatusOr<Axis> ParseAxis(std::string_view name) {
  std::vector<std::string> names;
  for (const Axis axis : kAllAxes) {
    if (AxisName(axis) == name) return axis;
    names.emplace_back(AxisName(axis));
  }
  return NotFound("unknown axis {}{}, expected one of {}", Quoted(name), Suggestion(name, names),
                  Joined(names));
}

const ParamSpec* ComponentSpec::FindParam(std::string_view param) const {
  for (const ParamSpec& spec : params) {
    if (spec.name == param) return &spec;
  }
  return nullptr;
}

const ParamSpec* ComponentSpec::PrimaryParam() const {
  for (const ParamSpec& spec : params) {
    if (spec.primary) return &spec;
  }
  return nullptr;
}

absl::Status ComponentSpec::UnknownParam(std::string_view param) const {
  std::vector<std::string> names;
  for (const ParamSpec& spec : params) names.push_back(spec.name);
  if (names.empty())
    return InvalidArgument("{} '{}' has no parameters, got {}", AxisName(axis), name, Quoted(param));
  return InvalidArgument("{} '{}' has no parameter {}{}, expected one of {}", AxisName(axis), name,
                         Quoted(param), Suggestion(param, names), Joined(names));
}

const Catalog& Catalog::Builtin() {
  // A build with a broken catalog must not start; the value() throws at the first use, and a test reads it.
  static const Catalog catalog = FromJson(embedded::kCatalogJson).value();
  return catalog;
}

std::vector<const ComponentSpec*> Catalog::OnAxis(Axis axis) const {
  std::vector<const ComponentSpec*> found;
  for (const ComponentSpec& component : components_) {
    if (component.axis == axis) found.push_back(&component);
  }
  return found;
}

absl::StatusOr<const ComponentSpec*> Catalog::Find(Axis axis, std::string_view name) const {
  std::vector<std::string> names;
  std::string elsewhere;
  for (const ComponentSpec& component : components_) {
    if (component.axis != axis) {
      if (component.name == name)
        elsewhere = fmt::format(" ('{}' belongs to {})", name, AxisName(component.axis));
      continue;
    }
    if (component.name == name) return &component;
    names.push_back(component.name);
  }
  return NotFound("unknown {} {}{}, expected one of {}", AxisName(axis), Quoted(name),
                  elsewhere.empty() ? Suggestion(name, names) : elsewhere, Joined(names));
}

absl::StatusOr<Component> Catalog::Resolve(Axis axis, std::string_view name,
                                           const std::map<std::string, ParamValue>& given) const {
  GS_ASSIGN_OR_RETURN(const ComponentSpec* spec, Find(axis, name));
  Component component{spec->name, {}};
  for (const auto& [param, value] : given) {
    const ParamSpec* param_spec = spec->FindParam(param);
    if (param_spec == nullptr) return spec->UnknownParam(param);
    absl::StatusOr<ParamValue> valid = param_spec->Validate(value);
    if (!valid.ok()) {
      return Annotate(valid.status(), fmt::format("{} '{}', parameter '{}'", AxisName(axis), name, param));
    }
    component.params.emplace(param, *std::move(valid));
  }
  for (const ParamSpec& param : spec->params) component.params.emplace(param.name, param.default_value);
  return component;
}

std::string Catalog::Label(Axis axis, const Component& component) const {
  const auto spec = Find(axis, component.name);
  std::string inside;
  // In the catalog's order; of a component it does not know, all parameters by name.
  const auto add = [&](const std::string& text) { inside += (inside.empty() ? "" : ", ") + text; };
  if (!spec.ok()) {
    for (const auto& [name, value] : component.params) add(name + "=" + ParamValueText(value));
  } else {
    for (const ParamSpec& param : (*spec)->params) {
      const auto it = component.params.find(param.name);
      if (it == component.params.end()) continue;
      if (param.primary) {
        add(ParamValueText(it->second));
      } else if (it->second != param.default_value) {
        add(param.name + "=" + ParamValueText(it->second));
      }
    }
  }
  return inside.empty() ? component.name : component.name + "(" + inside + ")";
}

}  // namespace gridsweep
