#include "common/results/seed_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gridsweep {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

RankedRow Row(int64_t cell, int64_t seeds, std::optional<double> p) {
  RankedRow row;
  row.cell = cell;
  row.mean = 0.9;
  row.jobs.succeeded = seeds;
  if (cell != 1) row.behind = Difference{.evidence = Evidence::kSeeds, .n = seeds, .mean = 0.01, .p = p};
  return row;
}

TEST(PlanSeeds, OnlyCellsThatMayStillBeTheBestGetSeeds) {
  const SeedPlan plan = PlanSeeds({Row(1, 3, {}), Row(2, 3, 0.4), Row(3, 3, 0.001)}, 10, 7);
  EXPECT_EQ(plan.verdict, SeedPlan::Verdict::kGoOn);
  EXPECT_THAT(plan.cells, ElementsAre(1, 2));
  EXPECT_EQ(plan.seeds, 4);
}

TEST(PlanSeeds, EveryLookHasItsPartOfTheError) {
  EXPECT_EQ(PlanSeeds({Row(1, 3, {}), Row(2, 3, 0.03)}, 10, 1).verdict, SeedPlan::Verdict::kSeparated);
  EXPECT_EQ(PlanSeeds({Row(1, 3, {}), Row(2, 3, 0.03)}, 10, 7).verdict, SeedPlan::Verdict::kGoOn);
}

TEST(PlanSeeds, StopsWhenTheContendersHaveAllSeedsOrTheLeaderStandsAlone) {
  EXPECT_EQ(PlanSeeds({Row(1, 10, {}), Row(2, 10, 0.4)}, 10, 7).verdict, SeedPlan::Verdict::kExhausted);
  EXPECT_EQ(PlanSeeds({Row(1, 3, {}), Row(2, 3, 0.0001)}, 10, 7).verdict, SeedPlan::Verdict::kSeparated);
}

TEST(PlanSeeds, WhoHasFewerSeedsCatchesUpFirst) {
  EXPECT_EQ(PlanSeeds({Row(1, 6, {}), Row(2, 3, 0.4)}, 10, 7).seeds, 4);
}

TEST(PlanSeeds, WhatCannotBeTestedMayBeTheBestAndWhatHasNoResultMayNot) {
  RankedRow diverged;
  diverged.cell = 9;
  diverged.jobs.diverged = 3;
  EXPECT_THAT(PlanSeeds({Row(1, 1, {}), Row(2, 1, {}), diverged}, 5, 4).cells, ElementsAre(1, 2));
  EXPECT_EQ(PlanSeeds({diverged}, 5, 4).verdict, SeedPlan::Verdict::kNoResult);
  EXPECT_THAT(PlanSeeds({}, 5, 4).cells, IsEmpty());
}

}  // namespace
}  // namespace gridsweep
