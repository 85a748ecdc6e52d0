// Every component this trainer can build: its description, as the catalog shows it, beside the code that
// makes it.
//
// Registration is explicit: MakeRegistry() calls one function per file. Adding an activation, optimizer,
// regularizer or scheduler is one Add() in its file; adding a model is one file and its name in
// CMakeLists.txt.
#pragma once

#include <functional>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include "common/catalog/catalog.h"
#include "worker/trainer/components/activation.h"
#include "worker/trainer/components/model.h"
#include "worker/trainer/components/optimizer.h"
#include "worker/trainer/components/params.h"
#include "worker/trainer/components/regularization.h"
#include "worker/trainer/components/scheduler.h"

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

  // REQUIRES: `component` is resolved by the registry's catalog.
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

// Immutable once made; thread-safe.
struct Registry {
  ComponentList<std::unique_ptr<Model>, const ModelContext&, LayerBuilder&> models{Axis::kModel};
  ComponentList<Activation> activations{Axis::kActivation};
  ComponentList<std::unique_ptr<Optimizer>, const FlatParameters&> optimizers{Axis::kOptimizer};
  ComponentList<void, Regularization&> regularizers{Axis::kRegularization};
  // Arguments: learning rate of the first epoch, the job's epochs.
  ComponentList<std::unique_ptr<Scheduler>, double, int64_t> schedulers{Axis::kScheduler};

  // All entries, axis by axis.
  Catalog MakeCatalog() const {
    std::vector<ComponentSpec> specs;
    models.AppendSpecs(specs);
    activations.AppendSpecs(specs);
    optimizers.AppendSpecs(specs);
    regularizers.AppendSpecs(specs);
    schedulers.AppendSpecs(specs);
    return Catalog(std::move(specs));
  }
};

void RegisterActivations(Registry& registry);
void RegisterOptimizers(Registry& registry);
void RegisterRegularizers(Registry& registry);
void RegisterSchedulers(Registry& registry);
void RegisterModels(Registry& registry);  // generated: calls Register_NAME of each file in components/models

inline Registry MakeRegistry() {
  Registry registry;
  RegisterModels(registry);
  RegisterActivations(registry);
  RegisterOptimizers(registry);
  RegisterRegularizers(registry);
  RegisterSchedulers(registry);
  return registry;
}

}  // namespace gridsweep
