#include "common/sweep/axis_index.h"

#include <algorithm>

namespace gridsweep {

AxisIndex::AxisIndex(const std::vector<AxisValue>& values) : values_(values), empty_(values.size()) {
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i].components.empty()) empty_.Add(i);
    for (const Component& component : values[i].components) {
      const auto [found, is_new] = components_.try_emplace(component.name);
      if (is_new) found->second.values = ValueSet(values.size());
      found->second.values.Add(i);
    }
  }
}

const AxisIndex::Param& AxisIndex::IndexParam(const std::string& component, const std::string& param,
                                              Holders& holders) const {
  const auto [found, is_new] = holders.params.try_emplace(param);
  Param& index = found->second;
  if (!is_new) return index;
  for (size_t i = 0; i < values_.size(); ++i) {
    for (const Component& held : values_[i].components) {
      if (held.name != component) continue;
      if (const auto value = held.params.find(param); value != held.params.end()) {
        index[value->second].few.push_back(static_cast<uint32_t>(i));
      }
    }
  }
  for (auto& [value, places] : index) {
    if (places.few.size() <= values_.size() / ValueSet::kBits) continue;
    places.many = ValueSet(values_.size());
    for (const uint32_t i : places.few) places.many.Add(i);
    places.few.clear();
  }
  return index;
}

ValueSet AxisIndex::Matching(const AxisItem& item) {
  if (item.components.empty()) return empty_;
  ValueSet matching = ValueSet::All(values_.size());
  for (const ComponentChoices& component : item.components) {
    const auto found = components_.find(component.spec->name);
    if (found == components_.end()) return ValueSet(values_.size());
    matching &= found->second.values;
    for (const auto& param : component.params) {
      const Param& index = IndexParam(component.spec->name, param.param->name, found->second);
      ValueSet allowed(values_.size());
      for (const ParamValue& value : param.values) {
        const auto places = index.find(value);
        if (places == index.end()) continue;
        for (const uint32_t i : places->second.few) allowed.Add(i);
        allowed |= places->second.many;
      }
      matching &= allowed;
    }
  }
  return matching;
}

}  // namespace gridsweep
