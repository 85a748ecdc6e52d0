#include "common/results/standings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "common/results/difference.h"

namespace gridsweep {
namespace {

using ::testing::DoubleEq;
using ::testing::ElementsAre;

constexpr Measure kLoss = {.goal = Goal::kMin};
constexpr Measure kAccuracy = {.goal = Goal::kMax, .images = 10'000};

CellObjectives Cell(int64_t ordinal, const std::vector<double>& values) {
  CellObjectives cell{.cell = 100 + ordinal, .ordinal = ordinal, .values = {}};
  for (const double value : values) cell.values.push_back({std::ssize(cell.values) + 1, value});
  return cell;
}

std::vector<int64_t> Ranks(const std::vector<Standing>& standings) {
  std::vector<int64_t> ranks;
  for (const Standing& standing : standings) ranks.push_back(standing.rank);
  return ranks;
}

// Reference values by SciPy's ttest_rel.
TEST(Compare, PairsBySeedAndTakesStudentsT) {
  const Difference d = Compare({{1, 0.5}, {2, 0.7}, {3, 0.4}}, {{1, 0.2}, {2, 0.5}, {3, 0.3}, {4, 9}}, kLoss);
  EXPECT_EQ(d.evidence, Evidence::kSeeds);
  EXPECT_EQ(d.n, 3) << "seed 4 has no partner";
  EXPECT_NEAR(d.mean, 0.2, 1e-15);
  EXPECT_NEAR(*d.p, 0.07417990022744853, 1e-12);
  EXPECT_NEAR(*d.ci, 0.24841377117503294, 1e-12);
}

TEST(Compare, OneSeedIsComparedByTheImagesOfAShare) {
  const Difference d = Compare({{1, 0.86}}, {{1, 0.85}}, kAccuracy);
  EXPECT_EQ(d.evidence, Evidence::kBinomial);
  EXPECT_NEAR(*d.p, 0.044595144581354738, 1e-12);
  const Difference loss = Compare({{1, 0.86}}, {{1, 0.85}}, kLoss);
  EXPECT_EQ(loss.evidence, Evidence::kNone) << "nothing is known of the error of one loss";
  EXPECT_FALSE(loss.p.has_value());
}

TEST(Compare, EqualDifferencesOfTwoSeedsAreNoCertainty) {
  const std::vector<SeedValue> a = {{1, 0.8501}, {2, 0.8601}};
  const std::vector<SeedValue> b = {{1, 0.8500}, {2, 0.8600}};
  EXPECT_GT(*Compare(a, b, kAccuracy).p, 0.05)
      << "both are one image of 10,000 better: a coincidence of roundings";
  EXPECT_EQ(*Compare(a, a, kAccuracy).p, 1);
}

TEST(HolmAdjusted, MultipliesByTheNumberThatIsLeftAndNeverDescends) {
  EXPECT_THAT(HolmAdjusted({0.01, 0.04, 0.03, 0.005}),
              ElementsAre(DoubleEq(0.03), DoubleEq(0.06), DoubleEq(0.06), DoubleEq(0.02)));
  EXPECT_THAT(HolmAdjusted({0.9, 0.8}), ElementsAre(1, 1));
  EXPECT_THAT(HolmAdjusted({}), ElementsAre());
}

TEST(CompareWithLeader, WhatCannotBeToldApartSharesTheFirstRank) {
  const std::vector<Standing> standings = CompareWithLeader(
      {Cell(0, {0.70, 0.71, 0.72}), Cell(1, {0.90, 0.91, 0.92}), Cell(2, {0.88, 0.93, 0.90})}, kAccuracy);
  EXPECT_THAT(Ranks(standings), ElementsAre(3, 1, 1));
  EXPECT_FALSE(standings[0].tied);
  EXPECT_TRUE(standings[1].tied);
  EXPECT_TRUE(standings[2].tied);
  EXPECT_FALSE(standings[1].behind.has_value()) << "the leader is behind nobody";
}

TEST(CompareWithLeader, AScatteredCellSharesTheRankThoughACellAboveItDoesNot) {
  const std::vector<Standing> standings = CompareWithLeader(
      {Cell(0, {0.900, 0.901, 0.902}), Cell(1, {0.880, 0.881, 0.8823}), Cell(2, {0.95, 0.70, 0.88})},
      kAccuracy);
  EXPECT_THAT(Ranks(standings), ElementsAre(1, 2, 1));
}

TEST(CompareWithLeader, WhatNothingCanBeSaidAboutIsRankedByItsMean) {
  const std::vector<Standing> standings =
      CompareWithLeader({Cell(0, {0.3}), Cell(1, {0.1}), Cell(2, {0.2}), Cell(3, {})}, kLoss);
  EXPECT_THAT(Ranks(standings), ElementsAre(3, 1, 2, 0));
  EXPECT_FALSE(standings[1].best_probability.has_value());
}

TEST(CompareWithLeader, ProbabilitiesOfBeingTheBestAddUpToOne) {
  const std::vector<CellObjectives> cells = {Cell(0, {0.90, 0.91, 0.92}), Cell(1, {0.91, 0.90, 0.925}),
                                             Cell(2, {0.5, 0.5, 0.5}), Cell(3, {})};
  const std::vector<Standing> standings = CompareWithLeader(cells, kAccuracy);
  EXPECT_NEAR(*standings[0].best_probability + *standings[1].best_probability, 1, 1e-12);
  EXPECT_EQ(*standings[2].best_probability, 0);
  EXPECT_FALSE(standings[3].best_probability.has_value());
  // Seed 2 alone speaks for the first, which loses all samples that lack it: at least (2/3)^3.
  EXPECT_GT(*standings[1].best_probability, 8.0 / 27);
}

TEST(FewSeedsNote, SaysWhatADifferenceNeedsWhereHardlyAnyCanHaveIt) {
  // t(1 - 0.025/65, 2) = 36.03, t(1 - 0.025, 1) = 12.71, of published tables' formula t = (2q - 1)·sqrt(2 / (4q(1 - q))) for 2.
  EXPECT_EQ(
      FewSeedsNote(3, 65),
      "3 seeds tell little apart in 65 comparisons: a difference must be 36 of its standard errors; P(best) shows more, and "
      "gridsweep seeds adds seeds where they tell most");
  EXPECT_THAT(FewSeedsNote(2, 1), testing::HasSubstr("in 1 comparison: a difference must be 13 of"));
  EXPECT_EQ(FewSeedsNote(3, 1), "");
  EXPECT_EQ(FewSeedsNote(8, 215), "");
  EXPECT_EQ(FewSeedsNote(1, 65), "") << "the caption says what one seed cannot";
  EXPECT_EQ(FewSeedsNote(3, 0), "");
}

std::string Fingerprint(std::vector<Standing> standings) {
  std::sort(standings.begin(), standings.end(),
            [](const Standing& a, const Standing& b) { return a.cell < b.cell; });
  std::string text;
  for (const Standing& s : standings)
    text += fmt::format("{} {} {} {:a} {:a} {:a}\n", s.cell, s.rank, s.tied, s.behind ? s.behind->mean : 0,
                        s.behind && s.behind->p ? *s.behind->p : -1, s.best_probability.value_or(-1));
  return text;
}

TEST(CompareWithLeader, TheOrderOfArrivalCannotChangeADigit) {
  std::mt19937 random(7);
  std::normal_distribution<double> noise(0.8, 0.02);
  for (const int seeds : {1, 3}) {
    std::vector<CellObjectives> cells;
    for (int i = 0; i < 40; ++i) {
      std::vector<double> values;
      for (int s = 0; s < seeds; ++s) values.push_back(noise(random));
      cells.push_back(Cell(i, values));
    }
    cells[7].values = cells[3].values;  // equal means
    const std::string expected = Fingerprint(CompareWithLeader(cells, kAccuracy));
    for (int i = 0; i < 10; ++i) {
      std::shuffle(cells.begin(), cells.end(), random);
      ASSERT_EQ(Fingerprint(CompareWithLeader(cells, kAccuracy)), expected) << "shuffle " << i;
    }
  }
}

}  // namespace
}  // namespace gridsweep
