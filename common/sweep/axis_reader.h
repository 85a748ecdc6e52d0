// One axis of the grid: from YAML to its distinct values, in two steps, so that the size of the whole grid is
// known before anything is expanded.
#pragma once

#include <vector>

#include "common/catalog/catalog.h"
#include "common/sweep/grid_size.h"
#include "common/sweep/sweep_spec.h"
#include "common/sweep/yaml_reader.h"

namespace gridsweep {

// A component with, for each parameter that the file gives, the values it may take; in the catalog's order.
struct ComponentChoices {
  const ComponentSpec* spec = nullptr;
  struct ParamChoices {
    const ParamSpec* param = nullptr;
    std::vector<ParamValue> values;
  };
  std::vector<ParamChoices> params;
};

// One element of an axis's list: a component, or for regularization a combination of any number of them.
struct AxisItem {
  SourcePosition at;
  std::vector<ComponentChoices> components;  // in the catalog's order; empty for no regularization
};

// Reads "name", {name: {param: value}}, {name: value}, and for regularization {name: …, name: …}. Returns
// INVALID_ARGUMENT with the place. The result borrows from `catalog`.
absl::StatusOr<AxisItem> ReadAxisItem(const SweepSource& source, const YamlNode& node, Axis axis,
                                      const Catalog& catalog);

// A list of items, or one item. At least one.
absl::StatusOr<std::vector<AxisItem>> ReadAxis(const SweepSource& source, const YamlNode& node, Axis axis,
                                               const Catalog& catalog);

// How many values the items expand to, duplicates included.
GridSize AxisSize(const std::vector<AxisItem>& items);

// The distinct values in the order of the file; within an item the first parameter of the catalog varies
// slowest. `duplicates` counts those that were folded. REQUIRES: AxisSize is small enough to expand.
std::vector<AxisValue> ExpandAxis(const std::vector<AxisItem>& items, int64_t* duplicates);

}  // namespace gridsweep
