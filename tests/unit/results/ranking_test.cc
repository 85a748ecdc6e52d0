#include "common/results/ranking.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "common/results/distributions.h"

namespace gridsweep {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

JobResult Succeeded(int64_t seed, double objective) {
  JobResult job;
  job.job = seed;
  job.seed = seed;
  job.state = JobState::kSucceeded;
  job.objective = objective;
  job.objective_epoch = seed;
  job.test_accuracy = objective - 0.01;
  job.test_loss = 1 - objective;
  job.train_loss = 0.5 - objective / 2;
  job.seconds = 10.0 * static_cast<double>(seed);
  return job;
}

JobResult Ended(int64_t seed, JobState state, std::string error = "") {
  JobResult job;
  job.job = seed;
  job.seed = seed;
  job.state = state;
  job.error = std::move(error);
  return job;
}

CellResults Cell(int64_t ordinal, std::vector<std::string> labels, std::vector<JobResult> jobs) {
  return {.cell = 100 + ordinal, .ordinal = ordinal, .labels = std::move(labels), .jobs = std::move(jobs)};
}

std::vector<int64_t> Ordinals(const std::vector<RankedRow>& rows) {
  std::vector<int64_t> ordinals;
  for (const RankedRow& row : rows) ordinals.push_back(row.ordinal);
  return ordinals;
}

std::vector<int64_t> Ranks(const std::vector<RankedRow>& rows) {
  std::vector<int64_t> ranks;
  for (const RankedRow& row : rows) ranks.push_back(row.rank);
  return ranks;
}

// Every digit of a row, so that two rankings can be compared bit for bit.
std::string Fingerprint(const std::vector<RankedRow>& rows) {
  std::string text;
  for (const RankedRow& row : rows) {
    text += fmt::format("{} {} {} {} {:a} {:a} {:a} {:a} {:a} {:a} {}\n", row.rank, row.cell,
                        fmt::join(row.job_ids, ","), row.n, row.mean.value_or(-1), row.sd.value_or(-1),
                        row.ci.value_or(-1), row.test_loss.value_or(-1), row.seconds.value_or(-1),
                        row.best_epoch.value_or(-1), row.note);
  }
  return text;
}

TEST(StudentT, MatchesThePublishedQuantiles) {
  EXPECT_NEAR(StudentT975(1), 12.706204736432095, 12.7e-6);
  EXPECT_NEAR(StudentT975(2), 4.302652729911275, 4.3e-6);
  EXPECT_NEAR(StudentT975(3), 3.182446305284263, 3.2e-6);
  EXPECT_NEAR(StudentT975(4), 2.776445105198099, 2.8e-6);
  EXPECT_NEAR(StudentT975(9), 2.262157162740992, 2.3e-6);
  EXPECT_NEAR(StudentT975(30), 2.042272456301238, 2.0e-6);
  EXPECT_NEAR(StudentT975(40), 2.021075390306273, 2.0e-6);
  EXPECT_NEAR(StudentT975(100), 1.983971518449634, 2.0e-6);
  EXPECT_NEAR(StudentT975(1'000'000'000), 1.959963984540054, 2.0e-6);
}

TEST(StudentT, DecreasesWithDegreesOfFreedomAcrossTheSwitchOfMethods) {
  for (int64_t df = 1; df < 200; ++df) EXPECT_GT(StudentT975(df), StudentT975(df + 1)) << df;
}

TEST(RankCells, OrdersByMeanInTheGoalsDirection) {
  const std::vector<CellResults> cells = {Cell(0, {"a"}, {Succeeded(1, 0.5)}),
                                          Cell(1, {"b"}, {Succeeded(1, 0.9)}),
                                          Cell(2, {"c"}, {Succeeded(1, 0.7)})};
  EXPECT_THAT(Ordinals(RankCells(cells, {Goal::kMax})), ElementsAre(1, 2, 0));
  EXPECT_THAT(Ordinals(RankCells(cells, {Goal::kMin})), ElementsAre(0, 2, 1));
}

TEST(RankCells, ComputesMeanDeviationAndConfidenceInterval) {
  const auto rows =
      RankCells({Cell(0, {"a"}, {Succeeded(1, 0.80), Succeeded(2, 0.84), Succeeded(3, 0.82)})}, {Goal::kMax});
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0].n, 3);
  EXPECT_NEAR(*rows[0].mean, 0.82, 1e-12);
  EXPECT_NEAR(*rows[0].sd, 0.02, 1e-12);
  EXPECT_NEAR(*rows[0].ci, 4.302652729911275 * 0.02 / std::sqrt(3.0), 1e-9);
  EXPECT_NEAR(*rows[0].best_epoch, 2.0, 1e-12);
  EXPECT_NEAR(*rows[0].seconds, 20.0, 1e-12);
  EXPECT_EQ(rows[0].note, "");
}

TEST(RankCells, OneSeedHasNoInterval) {
  const auto rows = RankCells({Cell(0, {"a"}, {Succeeded(1, 0.80)})}, {Goal::kMax});
  EXPECT_FALSE(rows[0].sd.has_value());
  EXPECT_FALSE(rows[0].ci.has_value());
}

TEST(RankCells, EqualMeansShareARankAndTheNextRankCountsThem) {
  const auto rows = RankCells({Cell(0, {"a"}, {Succeeded(1, 0.5)}), Cell(1, {"b"}, {Succeeded(1, 0.9)}),
                               Cell(2, {"c"}, {Succeeded(1, 0.9)}), Cell(3, {"d"}, {Succeeded(1, 0.1)})},
                              {Goal::kMax});
  EXPECT_THAT(Ordinals(rows), ElementsAre(1, 2, 0, 3));
  EXPECT_THAT(Ranks(rows), ElementsAre(1, 1, 3, 4));
}

TEST(RankCells, MoreSeedsComeFirstAmongEqualMeans) {
  const auto rows =
      RankCells({Cell(0, {"a"}, {Succeeded(1, 0.5)}), Cell(1, {"b"}, {Succeeded(1, 0.5), Succeeded(2, 0.5)})},
                {Goal::kMax});
  EXPECT_THAT(Ordinals(rows), ElementsAre(1, 0));
  EXPECT_THAT(Ranks(rows), ElementsAre(1, 1));
}

TEST(RankCells, CellsWithoutAResultGoLastByStateAndHaveNoRank) {
  const auto rows = RankCells(
      {Cell(0, {"a"}, {Ended(1, JobState::kFailed, "trainer killed by SIGSEGV")}),
       Cell(1, {"b"}, {Ended(1, JobState::kDiverged)}), Cell(2, {"c"}, {Ended(1, JobState::kPending)}),
       Cell(3, {"d"}, {Succeeded(1, 0.1)}), Cell(4, {"e"}, {Ended(1, JobState::kCancelled)}),
       Cell(5, {"f"}, {Ended(1, JobState::kRunning)})},
      {Goal::kMax});
  EXPECT_THAT(Ordinals(rows), ElementsAre(3, 2, 5, 1, 0, 4));
  EXPECT_THAT(Ranks(rows), ElementsAre(1, 0, 0, 0, 0, 0));
  EXPECT_EQ(rows[1].note, "pending");
  EXPECT_EQ(rows[2].note, "running");
  EXPECT_EQ(rows[3].note, "diverged");
  EXPECT_EQ(rows[4].note, "failed: trainer killed by SIGSEGV");
  EXPECT_EQ(rows[5].note, "cancelled");
}

TEST(RankCells, DivergedAndUnfinishedSeedsAreCountedInTheNoteAndNotInTheMean) {
  const auto rows =
      RankCells({Cell(0, {"a"},
                      {Succeeded(1, 0.5), Ended(2, JobState::kDiverged),
                       Ended(3, JobState::kFailed, "out of memory"), Ended(4, JobState::kPending)})},
                {Goal::kMax});
  EXPECT_EQ(rows[0].n, 1);
  EXPECT_EQ(*rows[0].mean, 0.5);
  EXPECT_EQ(rows[0].note, "1 of 4 failed: out of memory, 1 of 4 diverged, 1 of 4 pending");
  EXPECT_THAT(rows[0].job_ids, ElementsAre(1, 2, 3, 4));
}

TEST(RankCells, ANonFiniteObjectiveIsNoResult) {
  const auto rows = RankCells({Cell(0, {"a"}, {Succeeded(1, std::numeric_limits<double>::quiet_NaN())}),
                               Cell(1, {"b"}, {Succeeded(1, std::numeric_limits<double>::infinity())}),
                               Cell(2, {"c"}, {Succeeded(1, 0.2)})},
                              {Goal::kMax});
  EXPECT_THAT(Ordinals(rows), ElementsAre(2, 0, 1));
  EXPECT_THAT(Ranks(rows), ElementsAre(1, 0, 0));
  EXPECT_EQ(rows[1].note, "without a finite objective");
}

TEST(RankCells, AnEmptySweepHasNoRows) {
  EXPECT_TRUE(RankCells({}, {Goal::kMax}).empty());
}

std::vector<CellResults> ManyCells() {
  std::vector<CellResults> cells;
  std::mt19937_64 random(7);
  for (int64_t ordinal = 0; ordinal < 20; ++ordinal) {
    std::vector<JobResult> jobs;
    for (int64_t seed = 1; seed <= 5; ++seed) {
      // Few distinct values, so that there are ties; thirds, so that the order of a sum shows in its last
      // digits.
      const double value = static_cast<double>(random() % 7 + 1) / 3.0;
      jobs.push_back(random() % 9 == 0 ? Ended(seed, JobState::kDiverged) : Succeeded(seed, value));
      jobs.back().job = ordinal * 10 + seed;
    }
    cells.push_back(
        Cell(ordinal, {ordinal % 2 == 0 ? "mlp" : "cnn", fmt::format("lr{}", ordinal / 2)}, jobs));
  }
  return cells;
}

TEST(RankCells, TheOrderOfArrivalCannotChangeADigit) {
  std::vector<CellResults> cells = ManyCells();
  const std::string expected = Fingerprint(RankCells(cells, {Goal::kMax}));
  const std::string expected_levels = Fingerprint(CompareLevels(cells, {Goal::kMax}, 0));
  std::mt19937_64 random(1);
  for (int i = 0; i < 1000; ++i) {
    std::shuffle(cells.begin(), cells.end(), random);
    for (CellResults& cell : cells) std::shuffle(cell.jobs.begin(), cell.jobs.end(), random);
    ASSERT_EQ(Fingerprint(RankCells(cells, {Goal::kMax})), expected) << "shuffle " << i;
    ASSERT_EQ(Fingerprint(CompareLevels(cells, {Goal::kMax}, 0)), expected_levels) << "shuffle " << i;
  }
}

TEST(CompareLevels, RanksEachLevelByItsBestCell) {
  const auto rows = CompareLevels({Cell(0, {"mlp", "relu", "adam"}, {Succeeded(1, 0.78)}),
                                   Cell(1, {"mlp", "tanh", "adam"}, {Succeeded(2, 0.70)}),
                                   Cell(2, {"cnn", "relu", "adam"}, {Succeeded(3, 0.60)}),
                                   Cell(3, {"cnn", "tanh", "adam"}, {Succeeded(4, 0.83)})},
                                  {Goal::kMax}, 0);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].labels[0], "cnn");
  EXPECT_EQ(rows[0].best_label, "tanh");  // the optimizer does not vary and is not repeated
  EXPECT_EQ(*rows[0].mean, 0.83);
  EXPECT_EQ(rows[0].cells, 2);
  EXPECT_EQ(rows[0].jobs.succeeded, 2);
  EXPECT_THAT(rows[0].job_ids, ElementsAre(4));
  EXPECT_EQ(rows[1].labels[0], "mlp");
  EXPECT_EQ(rows[1].best_label, "relu");
  EXPECT_THAT(Ranks(rows), ElementsAre(1, 2));
}

TEST(CompareLevels, TellsOfFailuresInOtherCellsThanTheBest) {
  const auto rows = CompareLevels({Cell(0, {"mlp", "relu"}, {Succeeded(1, 0.78)}),
                                   Cell(1, {"mlp", "tanh"}, {Ended(1, JobState::kFailed, "out of memory")}),
                                   Cell(2, {"cnn", "relu"}, {Ended(1, JobState::kDiverged)})},
                                  {Goal::kMax}, 0);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].note, "1 of 2 failed: out of memory");
  EXPECT_EQ(rows[1].rank, 0);
  EXPECT_EQ(rows[1].note, "diverged");
}

TEST(CompareLevels, LevelsWithEqualBestCellsShareARank) {
  const auto rows = CompareLevels(
      {Cell(0, {"mlp"}, {Succeeded(1, 0.5)}), Cell(1, {"cnn"}, {Succeeded(1, 0.5)})}, {Goal::kMax}, 0);
  EXPECT_THAT(Ranks(rows), ElementsAre(1, 1));
}

class SortRowsTest : public ::testing::Test {
 protected:
  std::vector<RankedRow> rows_ = RankCells(
      {Cell(0, {"mlp", "relu"}, {Succeeded(3, 0.5)}),
       Cell(1, {"cnn", "relu"}, {Ended(1, JobState::kDiverged)}),
       Cell(2, {"cnn", "tanh"}, {Succeeded(1, 0.9)}), Cell(3, {"mlp", "tanh"}, {Succeeded(2, 0.7)})},
      {Goal::kMax});
  const std::vector<std::string> axes_ = {"model", "activation"};
};

TEST_F(SortRowsTest, SortsByANumberAscendingAndDescending) {
  ASSERT_TRUE(SortRows(rows_, "seconds", axes_, "val_accuracy").ok());
  EXPECT_THAT(Ordinals(rows_), ElementsAre(2, 3, 0, 1));
  ASSERT_TRUE(SortRows(rows_, "-seconds", axes_, "val_accuracy").ok());
  EXPECT_THAT(Ordinals(rows_), ElementsAre(0, 3, 2, 1)) << "rows without a value stay last";
}

TEST_F(SortRowsTest, SortsByAnAxisAndKeepsTheRankingWithinALevel) {
  ASSERT_TRUE(SortRows(rows_, "model", axes_, "val_accuracy").ok());
  EXPECT_THAT(Ordinals(rows_), ElementsAre(2, 1, 3, 0));
}

TEST_F(SortRowsTest, SortsByTheMetricOfTheRanking) {
  ASSERT_TRUE(SortRows(rows_, "val_accuracy", axes_, "val_accuracy").ok());
  EXPECT_THAT(Ordinals(rows_), ElementsAre(0, 3, 2, 1));
  ASSERT_TRUE(SortRows(rows_, "-val_accuracy", axes_, "val_accuracy").ok());
  EXPECT_THAT(Ordinals(rows_), ElementsAre(2, 3, 0, 1));
  const absl::Status other = SortRows(rows_, "val_loss", axes_, "val_accuracy");
  EXPECT_THAT(Message(other), HasSubstr("the columns are rank, mean, val_accuracy, "));
}

TEST_F(SortRowsTest, AnUnknownColumnNamesTheNearestAndLeavesTheRowsAlone) {
  const std::vector<int64_t> before = Ordinals(rows_);
  const absl::Status status = SortRows(rows_, "test_acuracy", axes_, "val_accuracy");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(Message(status), HasSubstr("did you mean 'test_accuracy'"));
  EXPECT_THAT(Message(status), HasSubstr("model, activation"));
  EXPECT_EQ(Ordinals(rows_), before);
}

}  // namespace
}  // namespace gridsweep
