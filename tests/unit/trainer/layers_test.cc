#include "worker/trainer/layers.h"

#include <gtest/gtest.h>

#include <cmath>

#include "worker/trainer/flat_parameters.h"
#include "worker/trainer/seeding.h"

namespace gridsweep {
namespace {

TEST(Seeding, PurposesAndSeedsAreIndependent) {
  EXPECT_NE(DeriveSeed(1, kInitPurpose), DeriveSeed(1, kShufflePurpose));
  EXPECT_NE(DeriveSeed(1, kInitPurpose), DeriveSeed(2, kInitPurpose));
  EXPECT_NE(DeriveSeed(1, kInitPurpose), DeriveSeed(-1, kInitPurpose));
  // sha256("gridsweep init 1") begins so; recorded results depend on it.
  EXPECT_EQ(DeriveSeed(1, kInitPurpose), 0x68b23b40c5133cd9u);
}

TEST(Seeding, GlobalGeneratorIsNeverTouched) {
  const at::Tensor before = at::detail::getDefaultCPUGenerator().get_state().clone();
  LayerBuilder build(MakeGenerator(1, kInitPurpose, at::kCPU));
  const Linear linear = build.AddLinear(4, 3);
  const Dropout dropout(0.5, MakeGenerator(1, kDropoutPurpose, at::kCPU));
  dropout(linear(at::ones({2, 4})), true);
  at::randperm(10, MakeGenerator(1, kShufflePurpose, at::kCPU), at::kLong);
  EXPECT_TRUE(at::equal(before, at::detail::getDefaultCPUGenerator().get_state()));
}

TEST(LayerBuilder, InitializesAsTorchDoes) {
  LayerBuilder build(MakeGenerator(1, kInitPurpose, at::kCPU));
  const Linear linear = build.AddLinear(400, 300);
  const double bound = 1 / std::sqrt(400.0);
  for (const at::Tensor& tensor : {linear.weight, linear.bias}) {
    EXPECT_LE(tensor.abs().max().item<double>(), bound);
    EXPECT_GT(tensor.abs().max().item<double>(), 0.95 * bound);
  }
  // The variance of a uniform distribution over ±b is b²/3.
  EXPECT_NEAR(linear.weight.var().item<double>(), bound * bound / 3, 0.01 * bound * bound);
  EXPECT_NEAR(linear.weight.mean().item<double>(), 0, 0.01 * bound);

  const Convolution convolution = build.AddConvolution(16, 64);
  EXPECT_EQ(convolution.weight.sizes(), (std::vector<int64_t>{64, 16, 3, 3}));
  const double convolution_bound = 1 / std::sqrt(16 * 9.0);
  EXPECT_LE(convolution.weight.abs().max().item<double>(), convolution_bound);
  EXPECT_GT(convolution.weight.abs().max().item<double>(), 0.95 * convolution_bound);

  const BatchNorm norm = build.AddBatchNorm(5);
  EXPECT_TRUE(at::equal(norm.weight, at::ones({5})));
  EXPECT_TRUE(at::equal(norm.bias, at::zeros({5})));
  EXPECT_EQ(build.parameters().size(), 6u);
  EXPECT_EQ(build.buffers().size(), 2u);
}

TEST(Dropout, ZeroesItsShareAndScalesTheRest) {
  const Dropout dropout(0.3, MakeGenerator(1, kDropoutPurpose, at::kCPU));
  const at::Tensor x = dropout(at::ones({1000, 100}), true);
  EXPECT_NEAR(x.eq(0).to(at::kDouble).mean().item<double>(), 0.3, 0.01);
  EXPECT_NEAR(x.mean().item<double>(), 1, 0.02);
  EXPECT_NEAR(x.max().item<double>(), 1 / 0.7, 1e-6);
}

TEST(Dropout, DependsOnItsGeneratorAlone) {
  const auto apply = [](int64_t seed) {
    const Dropout dropout(0.5, MakeGenerator(seed, kDropoutPurpose, at::kCPU));
    const at::Tensor first = dropout(at::ones({50, 50}), true);
    return at::stack({first, dropout(at::ones({50, 50}), true)});
  };
  const at::Tensor once = apply(3);
  at::rand({100});
  EXPECT_TRUE(at::equal(once, apply(3)));
  EXPECT_FALSE(at::equal(once, apply(4)));
  EXPECT_FALSE(at::equal(once[0], once[1]));
}

TEST(Dropout, IsTheIdentityWhenEvaluating) {
  const at::Tensor x = at::ones({4, 4});
  EXPECT_TRUE(at::equal(Dropout(0.9, MakeGenerator(1, kDropoutPurpose, at::kCPU))(x, false), x));
  EXPECT_TRUE(at::equal(Dropout()(x, true), x));
}

TEST(Flatten, ParametersBecomeViewsWithTheirValues) {
  const at::Tensor bias = at::full({3}, 2.0), weight = at::full({5, 7}, 3.0), other = at::full({2, 2}, 4.0);
  const FlatParameters flat = Flatten({bias, weight, other}, at::kCPU);
  EXPECT_EQ(bias.sum().item<double>(), 6);
  EXPECT_EQ(weight.sum().item<double>(), 105);
  EXPECT_EQ(flat.values.sum().item<double>(), 6 + 105 + 16);
  EXPECT_EQ(flat.weights, 48 + 16);  // padded to 16 floats
  EXPECT_EQ(flat.values.narrow(0, 0, flat.weights).sum().item<double>(), 105 + 16);
  flat.values.zero_();
  EXPECT_EQ(weight.abs().sum().item<double>(), 0);
}

TEST(Flatten, BackwardFillsTheFlatGradient) {
  const at::Tensor weight = at::full({5, 7}, 3.0), bias = at::full({3}, 2.0);
  const FlatParameters flat = Flatten({weight, bias}, at::kCPU);
  for (int pass = 1; pass <= 2; ++pass) {
    flat.gradients.zero_();
    (weight.square().sum() + bias.sum() * 10).backward();
    EXPECT_EQ(flat.gradients.narrow(0, 0, 35).sum().item<double>(), 35 * 6);
    EXPECT_EQ(flat.gradients.narrow(0, flat.weights, 3).sum().item<double>(), 30);
    EXPECT_EQ(flat.gradients.sum().item<double>(), 35 * 6 + 30);
  }
}

}  // namespace
}  // namespace gridsweep
