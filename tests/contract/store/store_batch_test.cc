#include "tests/contract/store/store_fixture.h"

namespace gridsweep {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

class StoreBatchTest : public StoreContractTest {
 protected:
  StoreBatchTest() : sweep_(s_->Submit()) {}
  SweepId sweep_;
};

TEST_P(StoreBatchTest, NothingIsVisibleBeforeTheBatchCommits) {
  ASSERT_THAT(s_->store().BeginBatch(), IsOk());
  s_->ClaimOne();
  EXPECT_EQ(s_->Sweep(sweep_).jobs.running, 0);
  ASSERT_THAT(s_->store().CommitBatch(), IsOk());
  EXPECT_EQ(s_->Sweep(sweep_).jobs.running, 1);
}

TEST_P(StoreBatchTest, RollbackUndoesTheWholeBatch) {
  ASSERT_THAT(s_->store().BeginBatch(), IsOk());
  s_->ClaimOne();
  s_->Submit(kSmallSweep, "key-2");
  s_->store().RollbackBatch();
  EXPECT_EQ(s_->Sweep(sweep_).jobs.running, 0);
  ASSERT_OK_AND_ASSIGN(const std::vector<SweepRecord> sweeps, s_->reader().ListSweeps());
  EXPECT_THAT(sweeps, SizeIs(1));
  EXPECT_EQ(s_->ClaimOne().number, 1) << "the store goes on as if nothing had been";
}

TEST_P(StoreBatchTest, FailedStepIsUndoneAloneAndTheBatchGoesOn) {
  const std::vector<ClaimedJob> jobs = s_->Claim(2);
  ASSERT_THAT(s_->TryEpoch(jobs[0].attempt, 1, MakeEpoch(1, 0.5)), IsOk());
  ASSERT_THAT(s_->store().BeginBatch(), IsOk());
  EXPECT_THAT(s_->TryEpoch(jobs[1].attempt, 1, MakeEpoch(1, 0.6)), IsOk());
  EXPECT_THAT(s_->TryEpoch(jobs[0].attempt, 2, MakeEpoch(1, 0.7)),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("UNIQUE")));
  EXPECT_THAT(s_->TryEpoch(jobs[0].attempt, 2, MakeEpoch(2, 0.8)), IsOk());
  ASSERT_THAT(s_->store().CommitBatch(), IsOk());
  EXPECT_THAT(s_->Job(jobs[0].attempt.job).epochs,
              testing::ElementsAre(MakeEpoch(1, 0.5), MakeEpoch(2, 0.8)));
  EXPECT_THAT(s_->Job(jobs[1].attempt.job).epochs, SizeIs(1));
}

TEST_P(StoreBatchTest, MisuseOfBatchesIsReported) {
  EXPECT_THAT(s_->store().CommitBatch(), StatusIs(absl::StatusCode::kInternal, HasSubstr("no batch")));
  ASSERT_THAT(s_->store().BeginBatch(), IsOk());
  EXPECT_THAT(s_->store().BeginBatch(), StatusIs(absl::StatusCode::kInternal, HasSubstr("already")));
  s_->store().RollbackBatch();
  s_->store().RollbackBatch();
  EXPECT_THAT(s_->store().BeginBatch(), IsOk());
  EXPECT_THAT(s_->store().CommitBatch(), IsOk());
}

TEST_P(StoreBatchTest, BatchOpenAtTheEndIsGone) {
  ASSERT_THAT(s_->store().BeginBatch(), IsOk());
  s_->ClaimOne();
  Reopen();
  EXPECT_EQ(s_->Sweep(sweep_).jobs.pending, 8);
}

GRIDSWEEP_STORE_SUITE(StoreBatchTest);

}  // namespace
}  // namespace gridsweep
