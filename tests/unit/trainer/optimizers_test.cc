#include <gtest/gtest.h>

#include "worker/trainer/components/registry.h"

namespace gridsweep {
namespace {

std::unique_ptr<Optimizer> Make(const Registry& registry, const std::string& name, const FlatParameters& flat,
                                const std::map<std::string, ParamValue>& params = {}) {
  return registry.optimizers.Make(registry.MakeCatalog().Resolve(Axis::kOptimizer, name, params).value(),
                                  flat);
}

TEST(Optimizers, EveryEntryLowersAQuadratic) {
  const Registry registry = MakeRegistry();
  const Catalog catalog = registry.MakeCatalog();
  for (const ComponentSpec* spec : catalog.OnAxis(Axis::kOptimizer)) {
    const at::Tensor w = at::linspace(-2, 2, 20).view({4, 5}).clone();
    const FlatParameters flat = Flatten({w}, at::kCPU);
    const auto optimizer = Make(registry, spec->name, flat);
    const double before = w.square().sum().item<double>();
    for (int step = 0; step < 50; ++step) {
      flat.gradients.zero_();
      w.square().sum().backward();
      const c10::NoGradGuard no_grad;
      optimizer->Step(0.01);
    }
    EXPECT_LT(w.square().sum().item<double>(), 0.95 * before) << spec->name;
    EXPECT_TRUE(flat.values.isfinite().all().item<bool>()) << spec->name;
  }
}

// The first steps from w = 1 with gradient 1, by hand.
TEST(Optimizers, FirstStepsAreThoseOfTheFormulas) {
  const Registry registry = MakeRegistry();
  const auto run = [&](const char* name, const std::map<std::string, ParamValue>& params, int steps) {
    const at::Tensor w = at::ones({1, 1});
    const FlatParameters flat = Flatten({w}, at::kCPU);
    const auto optimizer = Make(registry, name, flat, params);
    for (int i = 0; i < steps; ++i) {
      flat.gradients.fill_(1);
      optimizer->Step(0.1);
    }
    return w.item<double>();
  };
  EXPECT_NEAR(run("sgd", {{"momentum", 0.0}}, 2), 1 - 0.2, 1e-6);
  EXPECT_NEAR(run("sgd", {{"momentum", 0.5}}, 2), 1 - 0.1 - 0.15, 1e-6);
  EXPECT_NEAR(run("sgd", {{"momentum", 0.5}, {"nesterov", true}}, 1), 1 - 0.15, 1e-6);
  EXPECT_NEAR(run("sgd", {{"momentum", 0.0}, {"nesterov", true}}, 1), 1 - 0.1, 1e-6);
  EXPECT_NEAR(run("adam", {}, 2), 1 - 0.2, 1e-5);
  EXPECT_NEAR(run("adamw", {{"weight_decay", 0.5}}, 1), 1 - 0.05 - 0.1, 1e-5);
  EXPECT_NEAR(run("rmsprop", {{"alpha", 0.75}}, 1), 1 - 0.1 / 0.5, 1e-5);
  EXPECT_NEAR(run("adagrad", {}, 2), 1 - 0.1 - 0.1 / std::sqrt(2.0), 1e-5);
}

TEST(Optimizers, PaddingStaysZero) {
  const Registry registry = MakeRegistry();
  const Catalog catalog = registry.MakeCatalog();
  for (const ComponentSpec* spec : catalog.OnAxis(Axis::kOptimizer)) {
    const at::Tensor w = at::ones({3, 1});
    const FlatParameters flat = Flatten({w}, at::kCPU);
    const auto optimizer = Make(registry, spec->name, flat);
    for (int i = 0; i < 3; ++i) {
      flat.gradients.narrow(0, 0, 3).fill_(1);
      optimizer->Step(0.1);
      flat.gradients.zero_();
    }
    EXPECT_EQ(flat.values.narrow(0, 3, 13).abs().sum().item<double>(), 0) << spec->name;
  }
}

}  // namespace
}  // namespace gridsweep
