#include "common/sweep/exclude_reader.h"

#include "common/catalog/quote.h"
#include "common/sweep/axis_index.h"
#include "common/sweep/axis_reader.h"
#include "common/sweep/scalar_reader.h"

namespace gridsweep {
namespace {

// More labels than this do not help in a message.
constexpr size_t kMaxListed = 8;

ExclusionTerm::Choice ToChoice(const AxisItem& item) {
  ExclusionTerm::Choice choice;
  for (const ComponentChoices& component : item.components) {
    ExclusionTerm::Pattern pattern{component.spec->name, {}};
    for (const auto& param : component.params) pattern.params[param.param->name] = param.values;
    choice.patterns.push_back(std::move(pattern));
  }
  return choice;
}

absl::Status ExcludesNothing(const SweepSource& source, const YamlNode& node, Axis axis,
                             const Catalog& catalog, const std::vector<AxisValue>& values) {
  std::string present;
  for (size_t i = 0; i < values.size() && i < kMaxListed; ++i) {
    if (i > 0) present += ", ";
    present += AxisValueLabel(catalog, axis, values[i]);
  }
  if (values.size() > kMaxListed) present += fmt::format(", and {} more", values.size() - kMaxListed);
  return source.Error(node.at, fmt::format("{} {} excludes nothing: the grid has {}", AxisName(axis),
                                           Quoted(FlowText(node, 60)), present));
}

absl::Status ReadChoice(const SweepSource& source, const YamlNode& node, const Catalog& catalog,
                        const std::vector<AxisValue>& values, AxisIndex& index, ExclusionTerm& term) {
  GS_ASSIGN_OR_RETURN(const AxisItem item, ReadAxisItem(source, node, term.axis, catalog));
  const ValueSet matching = index.Matching(item);
  if (matching.IsEmpty()) return ExcludesNothing(source, node, term.axis, catalog, values);
  term.values |= matching;
  term.choices.push_back(ToChoice(item));
  return absl::OkStatus();
}

absl::StatusOr<Exclusion> ReadExclusion(const SweepSource& source, const YamlNode& node,
                                        const Catalog& catalog,
                                        const std::array<std::vector<AxisValue>, kAxisCount>& axes,
                                        std::vector<AxisIndex>& indexes) {
  if (!node.IsMap() || node.keys.empty()) {
    return source.Error(node.at,
                        fmt::format("exclude: expected a rule such as {{model: mlp, optimizer: sgd}}, got {}",
                                    Describe(node)));
  }
  std::vector<std::string> names;
  for (const Axis axis : kAllAxes) names.emplace_back(AxisName(axis));
  GS_RETURN_IF_ERROR(CheckKeys(source, node, names, "exclude"));
  Exclusion exclusion;
  exclusion.line = node.at.line + 1;
  exclusion.text = FlowText(node);
  for (const Axis axis : kAllAxes) {
    const YamlNode* value = FindKey(node, AxisName(axis));
    if (value == nullptr) continue;
    const std::vector<AxisValue>& values = axes[static_cast<size_t>(axis)];
    AxisIndex& index = indexes[static_cast<size_t>(axis)];
    ExclusionTerm term{axis, {}, ValueSet(values.size())};
    if (!value->IsList()) {
      GS_RETURN_IF_ERROR(ReadChoice(source, *value, catalog, values, index, term));
    } else if (value->items.empty()) {
      return source.Error(
          value->at, fmt::format("exclude, {}: an empty list, expected at least one value", AxisName(axis)));
    } else {
      for (const YamlNode& item : value->items) {
        GS_RETURN_IF_ERROR(ReadChoice(source, item, catalog, values, index, term));
      }
    }
    exclusion.terms.push_back(std::move(term));
  }
  return exclusion;
}

}  // namespace

absl::StatusOr<std::vector<Exclusion>> ReadExclusions(
    const SweepSource& source, const YamlNode& node, const Catalog& catalog,
    const std::array<std::vector<AxisValue>, kAxisCount>& axes) {
  if (!node.IsList()) {
    return source.Error(node.at, fmt::format("exclude: expected a list of rules, got {}", Describe(node)));
  }
  if (node.items.size() > static_cast<size_t>(kMaxExclusions)) {
    return source.Error(node.at, fmt::format("exclude: {} rules, at most {} are supported", node.items.size(),
                                             kMaxExclusions));
  }
  std::vector<AxisIndex> indexes;
  for (const std::vector<AxisValue>& values : axes) indexes.emplace_back(values);
  std::vector<Exclusion> exclusions;
  for (const YamlNode& rule : node.items) {
    GS_ASSIGN_OR_RETURN(Exclusion exclusion, ReadExclusion(source, rule, catalog, axes, indexes));
    exclusions.push_back(std::move(exclusion));
  }
  return exclusions;
}

}  // namespace gridsweep
