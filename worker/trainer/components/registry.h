// Every component this trainer can build: its description, as the catalog shows it, beside the code that
// makes it.
//
// Registration is explicit: MakeRegistry() calls one function per file. Adding an activation, optimizer,
// regularizer or scheduler is one Add() in its file; adding a model is one file and its name in
// CMakeLists.txt. Schedulers live in common/schedule, because the programs without LibTorch need them too.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "common/catalog/catalog.h"
#include "common/catalog/component_list.h"
#include "common/schedule/scheduler.h"
#include "worker/trainer/components/activation.h"
#include "worker/trainer/components/model.h"
#include "worker/trainer/components/optimizer.h"
#include "worker/trainer/components/regularization.h"

namespace gridsweep {

// Immutable once made; thread-safe.
struct Registry {
  ComponentList<std::unique_ptr<Model>, const ModelContext&, LayerBuilder&> models{Axis::kModel};
  ComponentList<Activation> activations{Axis::kActivation};
  ComponentList<std::unique_ptr<Optimizer>, const FlatParameters&> optimizers{Axis::kOptimizer};
  ComponentList<void, Regularization&> regularizers{Axis::kRegularization};
  SchedulerList schedulers{Axis::kScheduler};

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
void RegisterModels(Registry& registry);  // generated: calls Register_NAME of each file in components/models

inline Registry MakeRegistry() {
  Registry registry;
  RegisterModels(registry);
  RegisterActivations(registry);
  RegisterOptimizers(registry);
  RegisterRegularizers(registry);
  RegisterSchedulers(registry.schedulers);
  return registry;
}

}  // namespace gridsweep
