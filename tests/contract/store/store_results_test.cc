// What is stored about results beside them: further seeds, statistics, images.
#include <gmock/gmock.h>

#include "tests/contract/store/store_fixture.h"

namespace gridsweep {
namespace {

using absl::StatusCode;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class StoreResultsTest : public StoreContractTest {
 protected:
  // Finishes the small sweep: 4 cells, seeds 1 and 2.
  SweepId Finished() {
    const SweepId id = s_->Submit();
    double value = 0.5;
    for (const ClaimedJob& job : s_->Claim(8)) s_->Succeed(job.attempt, {value += 0.01});
    EXPECT_EQ(s_->Sweep(id).state, SweepState::kFinished);
    return id;
  }
  std::vector<int64_t> CellsOf(SweepId id) {
    std::vector<int64_t> cells;
    const std::vector<CellResults> results = s_->reader().ListResults(id).value();
    for (const CellResults& cell : results) cells.push_back(cell.cell);
    return cells;
  }
  std::vector<int64_t> SeedsOf(SweepId id, size_t cell) {
    std::vector<int64_t> seeds;
    const std::vector<CellResults> results = s_->reader().ListResults(id).value();
    for (const JobResult& job : results[cell].jobs) seeds.push_back(job.seed);
    return seeds;
  }
};

TEST_P(StoreResultsTest, SeedsAreAddedToTheCellsThatWantThemAndTheSweepGoesOn) {
  const SweepId id = Finished();
  const std::vector<int64_t> cells = CellsOf(id);
  ASSERT_OK_AND_ASSIGN(
      const AddedSeeds added,
      s_->store().AddSeeds(id, {{cells[1], cells[3]}, 4, "2 cells may be the best"}, At(30)));
  EXPECT_EQ(added.revision, 1);
  EXPECT_EQ(added.cells, 2);
  EXPECT_EQ(added.jobs, 4);
  EXPECT_THAT(SeedsOf(id, 0), ElementsAre(1, 2));
  EXPECT_THAT(SeedsOf(id, 1), ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(s_->Sweep(id).state, SweepState::kActive);
  EXPECT_EQ(s_->Sweep(id).jobs.pending, 4);
  for (const ClaimedJob& job : s_->Claim(8, At(40))) s_->Succeed(job.attempt, {0.7}, At(50));
  EXPECT_EQ(s_->Sweep(id).state, SweepState::kFinished);
  ASSERT_OK_AND_ASSIGN(const auto revisions, s_->reader().ListRevisions(id));
  ASSERT_THAT(revisions, SizeIs(1));
  EXPECT_EQ(revisions[0].reason, "2 cells may be the best");
  EXPECT_EQ(revisions[0].jobs, 4);
}

TEST_P(StoreResultsTest, FurtherSeedsAreTheSameForAllCells) {
  const SweepId id = Finished();
  const std::vector<int64_t> cells = CellsOf(id);
  ASSERT_THAT(s_->store().AddSeeds(id, {{cells[0]}, 4, ""}, At(30)), IsOk());
  ASSERT_THAT(s_->store().AddSeeds(id, {{cells[2]}, 3, ""}, At(31)), IsOk());
  EXPECT_THAT(SeedsOf(id, 0), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(SeedsOf(id, 2), ElementsAre(1, 2, 3)) << "paired with those of the first";
}

TEST_P(StoreResultsTest, RepeatingAnAdditionAddsNothing) {
  const SweepId id = Finished();
  const SeedRevision revision = {CellsOf(id), 3, "all"};
  ASSERT_THAT(s_->store().AddSeeds(id, revision, At(30)), IsOk());
  ASSERT_OK_AND_ASSIGN(const AddedSeeds again, s_->store().AddSeeds(id, revision, At(31)));
  EXPECT_EQ(again.jobs, 0);
  EXPECT_EQ(s_->Sweep(id).jobs.pending, 4);
  EXPECT_THAT(s_->reader().ListRevisions(id).value(), SizeIs(1));
}

TEST_P(StoreResultsTest, SeedsAreRefusedToACancelledSweepAndToCellsOfAnother) {
  const SweepId id = Finished();
  const SweepId other = s_->Submit(kSmallSweep, "other");
  EXPECT_THAT(s_->store().AddSeeds(id, {CellsOf(other), 3, ""}, At(30)),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("has no cell")));
  EXPECT_EQ(s_->Sweep(id).state, SweepState::kFinished) << "nothing has changed";
  ASSERT_THAT(s_->store().CancelSweep(other, At(31)), IsOk());
  EXPECT_THAT(s_->store().AddSeeds(other, {CellsOf(other), 3, ""}, At(32)),
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr("is cancelled")));
}

TEST_P(StoreResultsTest, AnAnalysisReplacesTheOneBefore) {
  const SweepId id = Finished();
  SweepAnalysis analysis{.results = 8, .axes = {"model", "optimizer"}, .effects = {}, .standings = {}};
  analysis.effects.total_sum_of_squares = 2;
  analysis.effects.residual_sum_of_squares = 1;
  analysis.effects.terms = {
      {.name = "model", .axes = {0}, .df = 1, .sum_of_squares = 1, .share = 0.5, .f = 3, .p = 0.1}};
  analysis.effects.levels = {{.axis = 0, .level = "mlp", .mean = 0.5}};
  analysis.standings = {{.cell = CellsOf(id)[0], .rank = 1, .tied = true, .best_probability = 0.25}};
  ASSERT_THAT(s_->store().StoreAnalysis(id, analysis, At(30)), IsOk());
  ASSERT_THAT(s_->store().StoreAnalysis(id, analysis, At(31)), IsOk());
  EXPECT_EQ(s_->reader().AnalysedResults().value().at(id), 8);
  const auto count = [&](const std::string& view) {
    return std::get<int64_t>(s_->reader().Query("SELECT count(*) FROM " + view, {}).value().rows[0][0]);
  };
  EXPECT_EQ(count("v_effects"), 2) << "the model and the residual";
  EXPECT_EQ(count("v_levels"), 1);
  EXPECT_EQ(count("v_ranking WHERE tied = 1 AND best_probability = 0.25"), 1);
}

TEST_P(StoreResultsTest, SampleImagesAreKeptOnceADataSet) {
  EXPECT_FALSE(s_->store().WantsSampleImages("digest-1").value()) << "nobody knows the data set yet";
  const SweepId id = Finished();
  EXPECT_TRUE(s_->store().WantsSampleImages("digest-1").value());
  const std::vector<SampleImage> images = {{3, 2, 2, std::string("\0\1\2\3", 4)},
                                           {5, 2, 2, std::string("\4\5\6\7", 4)}};
  ASSERT_THAT(s_->store().RecordSampleImages("digest-1", images), IsOk());
  EXPECT_FALSE(s_->store().WantsSampleImages("digest-1").value());
  ASSERT_OK_AND_ASSIGN(const SampleImages sample, s_->reader().GetSampleImages(id, {5, 3}));
  EXPECT_EQ(sample.height, 2);
  EXPECT_THAT(sample.pixels, ElementsAre(4, 5, 6, 7, 0, 1, 2, 3));
  EXPECT_THAT(s_->reader().GetSampleImages(id, {5, 4}).value().pixels, IsEmpty()) << "all or none";
  EXPECT_FALSE(s_->store().RecordSampleImages("unknown", images).ok());
}

TEST_P(StoreResultsTest, WhatReportsReadIsInOrder) {
  const SweepId id = Finished();
  ASSERT_OK_AND_ASSIGN(const auto jobs, s_->reader().ListReportJobs(id));
  ASSERT_THAT(jobs, SizeIs(8));
  EXPECT_EQ(jobs[0].worker, "w1");
  EXPECT_EQ(jobs[0].epochs, 1);
  std::vector<int64_t> order;
  ASSERT_THAT(s_->reader().ForEachEpoch(id,
                                        [&](JobId job, const EpochMetrics&) {
                                          order.push_back(job.value);
                                          return absl::OkStatus();
                                        }),
              IsOk());
  EXPECT_THAT(order, SizeIs(8));
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
  EXPECT_EQ(s_->reader().CountAttempts(id).value().total, 8);
}

GRIDSWEEP_STORE_SUITE(StoreResultsTest);

}  // namespace
}  // namespace gridsweep
