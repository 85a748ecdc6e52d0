#include "common/job/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/support/status_matchers.h"

namespace gridsweep {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

std::vector<EpochMetrics> Losses(const std::vector<double>& losses) {
  std::vector<EpochMetrics> epochs;
  for (const double loss : losses) {
    EpochMetrics epoch;
    epoch.epoch = static_cast<int64_t>(epochs.size()) + 1;
    epoch.test_loss = loss;
    epochs.push_back(epoch);
  }
  return epochs;
}

const Objective kLowest{Metric::kTestLoss, Goal::kMin, EpochRule::kBest};

TEST(ObjectiveEpoch, IsTheBestOneAndTheEarliestAmongEquals) {
  EXPECT_EQ(ObjectiveEpoch(Losses({3, 1, 2, 1}), kLowest), 1u);
  EXPECT_EQ(ObjectiveEpoch(Losses({3, 1, 3}), {Metric::kTestLoss, Goal::kMax, EpochRule::kBest}), 0u);
}

TEST(ObjectiveEpoch, SkipsNonFiniteValues) {
  EXPECT_EQ(ObjectiveEpoch(Losses({kNan, -kInf, 2}), kLowest), 2u);
  EXPECT_EQ(ObjectiveEpoch(Losses({2, kNan}), kLowest), 0u);
  EXPECT_EQ(ObjectiveEpoch(Losses({kNan, kInf}), kLowest), std::nullopt);
  EXPECT_EQ(ObjectiveEpoch({}, kLowest), std::nullopt);
}

TEST(ObjectiveEpoch, LastIsLastWhateverItsValue) {
  const Objective last{Metric::kTestLoss, Goal::kMin, EpochRule::kLast};
  EXPECT_EQ(ObjectiveEpoch(Losses({1, 5}), last), 1u);
  EXPECT_EQ(ObjectiveEpoch(Losses({1, kNan}), last), 1u);
  EXPECT_EQ(ObjectiveEpoch({}, last), std::nullopt);
}

TEST(ObjectiveEpoch, HasNoneWithoutTheMetric) {
  EXPECT_EQ(ObjectiveEpoch(Losses({1}), DefaultObjective(Metric::kValLoss)), std::nullopt);
}

TEST(Metric, NamesRoundTrip) {
  for (const Metric metric : kAllMetrics) EXPECT_EQ(ParseMetric(MetricName(metric)).value(), metric);
  EXPECT_THAT(ParseMetric("val_acuracy"), StatusIs(absl::StatusCode::kInvalidArgument,
                                                   testing::HasSubstr("did you mean 'val_accuracy'?")));
}

TEST(Metric, EachReadsItsOwnField) {
  EpochMetrics epoch;
  epoch.train_loss = 1;
  epoch.train_accuracy = 2;
  epoch.val_loss = 3;
  epoch.val_accuracy = 4;
  epoch.test_loss = 5;
  epoch.test_accuracy = 6;
  double expected = 0;
  for (const Metric metric : kAllMetrics) EXPECT_EQ(MetricValue(epoch, metric), ++expected);
}

TEST(Metric, LossesGoDownAndAccuraciesUp) {
  for (const Metric metric : kAllMetrics) {
    const bool loss = MetricName(metric).ends_with("loss");
    EXPECT_EQ(IsLoss(metric), loss);
    EXPECT_EQ(DefaultObjective(metric).goal, loss ? Goal::kMin : Goal::kMax);
    EXPECT_EQ(NeedsValidation(metric), MetricName(metric).starts_with("val_"));
  }
}

}  // namespace
}  // namespace gridsweep
