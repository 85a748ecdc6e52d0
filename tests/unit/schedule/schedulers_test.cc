#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "common/schedule/scheduler.h"

namespace gridsweep {
namespace {

using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::Pointwise;

constexpr double kLr = 0.1;

// The learning rates of the epochs 1, 2, …, one more than there are losses. Losses are of the test set, or of the
// validation set if `validation`.
std::vector<double> Rates(const std::string& name, const std::map<std::string, ParamValue>& params,
                          const std::vector<double>& losses, bool validation = false) {
  const auto scheduler = Schedulers().Make(Catalog::Builtin().Resolve(Axis::kScheduler, name, params).value(),
                                           kLr, static_cast<int64_t>(losses.size()));
  std::vector<double> rates = {kLr};
  for (size_t i = 0; i < losses.size(); ++i) {
    EpochMetrics done;
    done.epoch = static_cast<int64_t>(i) + 1;
    done.test_loss = validation ? 1 / (1.0 + static_cast<double>(i)) : losses[i];
    if (validation) done.val_loss = losses[i];
    rates.push_back(scheduler->Next(done));
  }
  return rates;
}

std::vector<double> ClosedForm(int epochs, double (*rate)(int done)) {
  std::vector<double> rates;
  for (int done = 0; done <= epochs; ++done) rates.push_back(rate(done));
  return rates;
}

const std::vector<double> kSevenEpochs(7, 1.0);

TEST(Schedulers, NoneKeepsTheRate) {
  EXPECT_EQ(Rates("none", {}, kSevenEpochs), std::vector<double>(8, kLr));
}

TEST(Schedulers, StepMatchesItsClosedForm) {
  EXPECT_THAT(
      Rates("step", {{"step_size", int64_t{3}}, {"gamma", 0.5}}, kSevenEpochs),
      Pointwise(DoubleNear(1e-12), ClosedForm(7, [](int done) { return kLr * std::pow(0.5, done / 3); })));
}

TEST(Schedulers, ExponentialMatchesItsClosedForm) {
  EXPECT_THAT(
      Rates("exponential", {{"gamma", 0.9}}, kSevenEpochs),
      Pointwise(DoubleNear(1e-12), ClosedForm(7, [](int done) { return kLr * std::pow(0.9, done); })));
}

TEST(Schedulers, CosineMatchesItsClosedForm) {
  EXPECT_THAT(Rates("cosine", {{"min_lr", 0.01}}, kSevenEpochs),
              Pointwise(DoubleNear(1e-12), ClosedForm(7, [](int done) {
                          return 0.01 + (kLr - 0.01) * (1 + std::cos(std::numbers::pi * done / 7)) / 2;
                        })));
}

TEST(Schedulers, PlateauWaitsForItsPatience) {
  EXPECT_THAT(Rates("plateau", {{"patience", int64_t{1}}, {"factor", 0.5}}, {1.0, 1.1, 1.2, 1.3, 1.4}),
              ElementsAre(0.1, 0.1, 0.1, 0.05, 0.05, 0.025));
  EXPECT_THAT(Rates("plateau", {{"patience", int64_t{0}}, {"factor", 0.5}}, {1.0, 1.1, 0.9, 0.95}),
              ElementsAre(0.1, 0.1, 0.05, 0.05, 0.025));
}

TEST(Schedulers, PlateauCountsRelativeImprovementOnly) {
  const std::map<std::string, ParamValue> params = {{"patience", int64_t{0}}, {"threshold", 0.1}};
  EXPECT_THAT(Rates("plateau", params, {1.0, 0.91}), ElementsAre(0.1, 0.1, 0.05));
  EXPECT_THAT(Rates("plateau", params, {1.0, 0.89}), ElementsAre(0.1, 0.1, 0.1));
}

TEST(Schedulers, PlateauStopsAtItsFloor) {
  EXPECT_THAT(Rates("plateau", {{"patience", int64_t{0}}, {"min_lr", 0.04}}, {1, 1, 1, 1}),
              ElementsAre(0.1, 0.1, 0.05, 0.04, 0.04));
}

TEST(Schedulers, PlateauWatchesTheValidationSetIfThereIsOne) {
  EXPECT_THAT(Rates("plateau", {{"patience", int64_t{0}}}, {1, 1}, /*validation=*/true),
              ElementsAre(0.1, 0.1, 0.05));
}

TEST(Schedulers, PlateauTakesNonFiniteLossesForBadOnes) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(Rates("plateau", {{"patience", int64_t{0}}}, {1, nan, 0.5}), ElementsAre(0.1, 0.1, 0.05, 0.05));
}

// What tells which epochs jobs can share: rates that are said to be known before training must not follow the losses.
TEST(Schedulers, SayWhetherTheyLookAtLosses) {
  for (const ComponentSpec* spec : Catalog::Builtin().OnAxis(Axis::kScheduler)) {
    const Component component = Catalog::Builtin().Resolve(Axis::kScheduler, spec->name, {}).value();
    const bool uses_metrics = Schedulers().Make(component, kLr, 8)->UsesMetrics();
    const bool differs =
        Rates(spec->name, {}, {8, 7, 6, 5, 4, 3, 2, 1}) != Rates(spec->name, {}, std::vector<double>(8, 1));
    EXPECT_EQ(uses_metrics, differs) << spec->name;
  }
}

}  // namespace
}  // namespace gridsweep
