// Which values of an axis a rule means, without comparing each rule with each value.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "common/sweep/axis_reader.h"
#include "common/sweep/sweep_spec.h"

namespace gridsweep {

// Borrows the axis's values. A parameter is indexed when a rule first names it.
class AxisIndex {
 public:
  explicit AxisIndex(const std::vector<AxisValue>& values);

  // The values that hold every component of `item` with one of the values it lists for each parameter it names; for no
  // components, only the empty regularization. A value may hold more: l2 matches l2+dropout as well.
  ValueSet Matching(const AxisItem& item);

 private:
  // The positions of the values that have one parameter value: few one by one, many as a set.
  struct Places {
    std::vector<uint32_t> few;
    ValueSet many;
  };
  using Param = std::map<ParamValue, Places>;
  struct Holders {
    ValueSet values;  // that hold the component
    std::map<std::string, Param> params;
  };

  const Param& IndexParam(const std::string& component, const std::string& param, Holders& holders) const;

  const std::vector<AxisValue>& values_;
  ValueSet empty_;  // the values without a component
  std::map<std::string, Holders> components_;
};

}  // namespace gridsweep
