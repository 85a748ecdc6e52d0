// The entries of one axis: each component's description beside the code that makes it. Free of LibTorch.
#pragma once

#include <functional>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "common/catalog/catalog.h"
#include "common/catalog/params.h"

namespace gridsweep {

// An entry's description without its axis, which the list it is added to knows.
struct EntryDoc {
  std::string name;
  std::string doc;
  std::vector<ParamSpec> params = {};
  std::map<std::string, bool> properties = {};
};

// The entries of one axis, in the order in which they were added.
template <typename Result, typename... Args>
class ComponentList {
 public:
  using Factory = std::function<Result(const Params&, Args...)>;

  explicit ComponentList(Axis axis) : axis_(axis) {}

  void Add(EntryDoc doc, Factory factory) {
    entries_.push_back(
        {{axis_, std::move(doc.name), std::move(doc.doc), std::move(doc.params), std::move(doc.properties)},
         std::move(factory)});
  }

  // REQUIRES: `component` is resolved by a catalog of these entries.
  Result Make(const Component& component, Args... args) const {
    for (const auto& [spec, factory] : entries_) {
      if (spec.name == component.name) return factory(Params(component), args...);
    }
    throw std::logic_error("no component named " + component.name);
  }

  void AppendSpecs(std::vector<ComponentSpec>& specs) const {
    for (const auto& entry : entries_) specs.push_back(entry.first);
  }

 private:
  Axis axis_;
  std::vector<std::pair<ComponentSpec, Factory>> entries_;
};

}  // namespace gridsweep
