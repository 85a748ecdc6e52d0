#include "common/catalog/describe.h"

#include <algorithm>

#include "common/catalog/wrap_text.h"

namespace gridsweep {
namespace {

constexpr size_t kWidth = 80;

std::string_view AxisDoc(Axis axis) {
  switch (axis) {
    case Axis::kModel:
      return "the network's architecture";
    case Axis::kActivation:
      return "the non-linearity after each hidden layer";
    case Axis::kOptimizer:
      return "how gradients become steps";
    case Axis::kRegularization:
      return "what keeps the network from overfitting; several can be combined in one value";
    case Axis::kScheduler:
      return "how the learning rate changes from epoch to epoch";
  }
  return "";
}

std::string AxisTitle(Axis axis) {
  return fmt::format("{}: {}", AxisName(axis), AxisDoc(axis));
}

std::string ParamFacts(const ParamSpec& param) {
  return fmt::format("{}, default {}", param.Expectation(), ParamValueText(param.default_value));
}

template <typename Items>
size_t NameWidth(const Items& items) {
  size_t width = 0;
  for (const auto& item : items) {
    if constexpr (std::is_pointer_v<std::decay_t<decltype(item)>>) {
      width = std::max(width, item->name.size());
    } else {
      width = std::max(width, item.name.size());
    }
  }
  return width;
}

void AppendParams(const ComponentSpec& component, std::string_view indent, std::string& out) {
  const size_t width = NameWidth(component.params);
  for (const ParamSpec& param : component.params) {
    const std::string lead = fmt::format("{}{}  ", indent, Padded(param.name, width));
    out += Wrapped(lead, ParamFacts(param), kWidth);
    out += Wrapped(std::string(lead.size(), ' '), param.doc, kWidth);
  }
}

std::string DescribeAll(const Catalog& catalog) {
  std::string out;
  for (const Axis axis : kAllAxes) {
    if (!out.empty()) out += "\n";
    out += Wrapped("", AxisTitle(axis), kWidth);
    const std::vector<const ComponentSpec*> components = catalog.OnAxis(axis);
    const size_t width = NameWidth(components);
    for (const ComponentSpec* component : components) {
      out += Wrapped(fmt::format("  {}  ", Padded(component->name, width)), component->doc, kWidth);
    }
  }
  return out;
}

std::string DescribeAxis(const Catalog& catalog, Axis axis) {
  std::string out = Wrapped("", AxisTitle(axis), kWidth);
  for (const ComponentSpec* component : catalog.OnAxis(axis)) {
    out += "\n" + Wrapped(fmt::format("  {}: ", component->name), component->doc, kWidth);
    AppendParams(*component, "      ", out);
  }
  return out;
}

std::string DescribeComponent(const ComponentSpec& component) {
  std::string out = fmt::format("{} {}\n", AxisName(component.axis), component.name);
  out += Wrapped("  ", component.doc, kWidth);
  out += "\nparameters\n";
  if (component.params.empty()) out += "  none\n";
  AppendParams(component, "  ", out);
  out += "\nin the grid of a sweep file\n";
  out += fmt::format("  {}: {}\n", AxisName(component.axis), component.name);
  if (const ParamSpec* primary = component.PrimaryParam()) {
    out += fmt::format("  {}: {{{}: {}}}\n", AxisName(component.axis), component.name,
                       ParamValueText(primary->default_value));
  }
  if (!component.params.empty()) out += Wrapped("  ", SweepFileExample(component), kWidth);
  return out;
}

}  // namespace

std::string SweepFileExample(const ComponentSpec& component) {
  if (component.params.empty()) return fmt::format("{}: {}", AxisName(component.axis), component.name);
  std::string params;
  for (const ParamSpec& param : component.params) {
    if (!params.empty()) params += ", ";
    params += fmt::format("{}: {}", param.name, ParamValueText(param.default_value));
  }
  return fmt::format("{}: {{{}: {{{}}}}}", AxisName(component.axis), component.name, params);
}

absl::StatusOr<std::string> DescribeCatalog(const Catalog& catalog, std::optional<Axis> axis,
                                            std::string_view name) {
  if (!axis.has_value()) return DescribeAll(catalog);
  if (name.empty()) return DescribeAxis(catalog, *axis);
  GS_ASSIGN_OR_RETURN(const ComponentSpec* component, catalog.Find(*axis, name));
  return DescribeComponent(*component);
}

std::string CatalogMarkdown(const Catalog& catalog) {
  std::string out = "# The catalog\n\nEvery component that a sweep file may name, by axis.\n";
  for (const Axis axis : kAllAxes) {
    out += fmt::format("\n## {}\n\nThe axis `{}`: {}.\n", AxisName(axis), AxisName(axis), AxisDoc(axis));
    for (const ComponentSpec* component : catalog.OnAxis(axis)) {
      out += fmt::format("\n### {} `{}`\n\n{}.\n", AxisName(axis), component->name, component->doc);
      if (component->params.empty()) continue;
      out += "\n| parameter | value | default | meaning |\n|---|---|---|---|\n";
      for (const ParamSpec& param : component->params) {
        out += fmt::format("| `{}`{} | {} | `{}` | {} |\n", param.name, param.primary ? " (primary)" : "",
                           param.Expectation(), ParamValueText(param.default_value), param.doc);
      }
    }
  }
  return out;
}

}  // namespace gridsweep
