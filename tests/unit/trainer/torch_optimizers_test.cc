// The one-pass optimizers against LibTorch's own, over 50 steps, with every kind of parameter.
#include <gtest/gtest.h>
#include <torch/optim.h>

#include "worker/trainer/components/registry.h"

namespace gridsweep {
namespace {

using Values = std::map<std::string, ParamValue>;

constexpr int kSteps = 50;
constexpr double kLr = 0.02;

// Gradients of many sizes, some zero, that change from step to step.
at::Tensor Gradient(int step) {
  const at::Tensor noise = at::randn({257}, at::detail::createCPUGenerator(static_cast<uint64_t>(step)));
  return noise * at::logspace(-4, 1, 257) * at::arange(257).remainder(5).ne(0);
}

at::Tensor Start() {
  return at::linspace(-1, 1, 257);
}

at::Tensor Ours(const std::string& name, const Values& params) {
  const Registry registry = MakeRegistry();
  const at::Tensor w = Start();
  const FlatParameters flat = Flatten({w}, at::kCPU);
  const auto optimizer =
      registry.optimizers.Make(registry.MakeCatalog().Resolve(Axis::kOptimizer, name, params).value(), flat);
  const c10::NoGradGuard no_grad;
  for (int step = 0; step < kSteps; ++step) {
    flat.gradients.narrow(0, 0, 257).copy_(Gradient(step));
    optimizer->Step(step < kSteps / 2 ? kLr : kLr / 10);
  }
  return w.detach().clone();
}

template <typename Torch, typename Options>
at::Tensor Theirs(Options options) {
  const at::Tensor w = Start().set_requires_grad(true);
  Torch optimizer({w}, options.lr(kLr));
  for (int step = 0; step < kSteps; ++step) {
    w.mutable_grad() = Gradient(step);
    if (step == kSteps / 2) static_cast<Options&>(optimizer.param_groups()[0].options()).lr(kLr / 10);
    optimizer.step();
  }
  return w.detach();
}

void ExpectEqual(const at::Tensor& ours, const at::Tensor& theirs, const std::string& what) {
  EXPECT_TRUE(at::allclose(ours, theirs, 1e-5, 1e-6)) << what << ": " << (ours - theirs).abs().max();
}

using namespace torch::optim;  // NOLINT: the other side of every comparison

TEST(TorchOptimizers, Adam) {
  for (const auto& [beta1, beta2, eps] : {std::tuple{0.9, 0.999, 1e-8}, {0.0, 0.5, 1e-3}, {0.5, 0.9, 0.1}}) {
    ExpectEqual(Ours("adam", {{"beta1", beta1}, {"beta2", beta2}, {"eps", eps}}),
                Theirs<Adam>(AdamOptions().betas({beta1, beta2}).eps(eps)),
                fmt::format("{} {} {}", beta1, beta2, eps));
  }
}

TEST(TorchOptimizers, AdamW) {
  for (const double decay : {0.0, 0.01, 0.5}) {
    ExpectEqual(Ours("adamw", {{"weight_decay", decay}}), Theirs<AdamW>(AdamWOptions().weight_decay(decay)),
                fmt::format("{}", decay));
  }
}

TEST(TorchOptimizers, Sgd) {
  for (const double momentum : {0.0, 0.5, 0.99}) {
    for (const bool nesterov : {false, true}) {
      if (nesterov && momentum == 0) continue;  // LibTorch refuses it
      ExpectEqual(Ours("sgd", {{"momentum", momentum}, {"nesterov", nesterov}}),
                  Theirs<SGD>(SGDOptions(kLr).momentum(momentum).nesterov(nesterov)),
                  fmt::format("{} {}", momentum, nesterov));
    }
  }
}

TEST(TorchOptimizers, RmsProp) {
  for (const auto& [alpha, eps, momentum] :
       {std::tuple{0.99, 1e-8, 0.0}, {0.5, 1e-3, 0.0}, {0.9, 1e-8, 0.9}}) {
    ExpectEqual(Ours("rmsprop", {{"alpha", alpha}, {"eps", eps}, {"momentum", momentum}}),
                Theirs<RMSprop>(RMSpropOptions().alpha(alpha).eps(eps).momentum(momentum)),
                fmt::format("{} {} {}", alpha, eps, momentum));
  }
}

TEST(TorchOptimizers, Adagrad) {
  for (const double eps : {1e-10, 0.1}) {
    ExpectEqual(Ours("adagrad", {{"eps", eps}}), Theirs<Adagrad>(AdagradOptions().eps(eps)),
                fmt::format("{}", eps));
  }
}

}  // namespace
}  // namespace gridsweep
