#include "coordinator/queue/finish_estimate.h"

#include <gtest/gtest.h>

namespace gridsweep {
namespace {

WaitingWork Work(double seconds, int64_t bundles, bool counts = true, int64_t sweep = 1) {
  return {.sweep = SweepId{sweep}, .seconds = seconds, .bundles = bundles, .counts = counts};
}

TEST(EpochsLeft, OneJobPaysForTheCommonEpochs) {
  EXPECT_EQ(EpochsLeft({{4, 10, 0}}), 10) << "alone it pays, whatever its group has trained";
  EXPECT_EQ(EpochsLeft({{10, 10, 0}, {7, 10, 0}, {9, 10, 0}}), 26);
  EXPECT_EQ(EpochsLeft({{10, 10, 2.5}, {7, 10, 2.5}, {9, 10, 1}}), 7.5 + 7 + 9);
  EXPECT_EQ(EpochsLeft({{7, 10, 5}, {9, 10, 1}}), 5 + 9) << "the first is over";
  EXPECT_EQ(EpochsLeft({{10, 10, 10}}), 0);
}

TEST(ExpectedWork, CountsGroupsOrJobs) {
  WorkClass work;
  work.epochs = 10;
  work.group_epochs = 25;
  work.pending = 12;
  work.pending_epochs = 100;
  WaitingWork shared = ExpectedWork(work, 2, /*share=*/true, true);
  EXPECT_EQ(shared.bundles, 4);
  EXPECT_EQ(shared.seconds, 50);
  const WaitingWork alone = ExpectedWork(work, 2, /*share=*/false, true);
  EXPECT_EQ(alone.bundles, 12);
  EXPECT_EQ(alone.seconds, 20);
  work.pending = 1;
  work.pending_epochs = 3;
  shared = ExpectedWork(work, 2, true, true);
  EXPECT_EQ(shared.bundles, 1);
  EXPECT_EQ(shared.seconds, 20) << "what is left of a group trains all its epochs";
}

TEST(EstimateFinish, LaysBundlesOverSlotsLongestFirst) {
  EXPECT_EQ(EstimateFinish({}, 1, {Work(3, 4)}), 12);
  EXPECT_EQ(EstimateFinish({}, 2, {Work(3, 4)}), 6);
  EXPECT_EQ(EstimateFinish({}, 2, {Work(1, 4), Work(10, 1)}), 10);
  EXPECT_EQ(EstimateFinish({{7, true}, {1, true}}, 2, {Work(2, 2)}), 7);
  EXPECT_EQ(EstimateFinish({{7, true}, {1, true}}, 2, {Work(4, 2)}), 11 - 2);
  EXPECT_EQ(EstimateFinish({{5, true}}, 1, {}), 5);
}

TEST(EstimateFinish, OlderSweepsComeFirst) {
  EXPECT_EQ(EstimateFinish({}, 1, {Work(1, 3, true, 2), Work(5, 2, false, 1)}), 13);
  EXPECT_EQ(EstimateFinish({{100, false}, {2, true}}, 2, {}), 2) << "others' running jobs do not count";
}

TEST(EstimateFinish, ManyBundlesAreLaidOutInRounds) {
  // What one by one gives, at any number.
  EXPECT_EQ(EstimateFinish({}, 4, {Work(0.5, 100'000)}), 12'500);
  EXPECT_EQ(EstimateFinish({{1, true}}, 3, {Work(2, 3'000'000)}), 2'000'001);
  EXPECT_EQ(EstimateFinish({{1, true}}, 3, {Work(2, 3'000'001)}), 2'000'002);
}

}  // namespace
}  // namespace gridsweep
