#include "tests/contract/store/store_fixture.h"

namespace gridsweep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

using StoreSweepsTest = StoreContractTest;

TEST_P(StoreSweepsTest, SubmitStoresCellsAndJobs) {
  ASSERT_OK_AND_ASSIGN(const SubmittedSweep submitted, s_->TrySubmit(kSmallSweep, "key-1"));
  EXPECT_TRUE(submitted.created);
  EXPECT_EQ(submitted.jobs, 8);
  const SweepRecord sweep = s_->Sweep(submitted.id);
  EXPECT_EQ(sweep.name, "small");
  EXPECT_EQ(sweep.state, SweepState::kActive);
  EXPECT_EQ(sweep.jobs.pending, 8);
  EXPECT_EQ(sweep.jobs.total(), 8);
  EXPECT_EQ(sweep.cells, 4);
  EXPECT_EQ(sweep.seeds, 2);
  EXPECT_EQ(sweep.dataset, "toy");
  EXPECT_EQ(sweep.dataset_digest, "");
  EXPECT_EQ(sweep.training.epochs, 3);
  EXPECT_EQ(sweep.training.batch_size, 32);
  EXPECT_EQ(sweep.training.validation, 0.1);
  EXPECT_EQ(sweep.objective.metric, Metric::kValAccuracy);
  EXPECT_EQ(sweep.yaml, kSmallSweep);
  EXPECT_EQ(sweep.created, At(0));
  EXPECT_EQ(sweep.finished, std::nullopt);
}

TEST_P(StoreSweepsTest, SubmitOfSameKeyAndContentReturnsTheStoredSweep) {
  const SweepId first = s_->Submit();
  ASSERT_OK_AND_ASSIGN(const SubmittedSweep again, s_->TrySubmit(kSmallSweep, "key-1"));
  EXPECT_FALSE(again.created);
  EXPECT_EQ(again.id, first);
  EXPECT_EQ(again.jobs, 8);
  ASSERT_OK_AND_ASSIGN(const std::vector<SweepRecord> sweeps, s_->reader().ListSweeps());
  EXPECT_THAT(sweeps, SizeIs(1));
}

TEST_P(StoreSweepsTest, ResumeAnswersTheNewestUnfinishedSweepOfTheContent) {
  const SweepId first = s_->Submit();
  for (const ClaimedJob& job : s_->Claim(8)) s_->Succeed(job.attempt, {0.5});
  ASSERT_EQ(s_->Sweep(first).state, SweepState::kFinished);
  ASSERT_OK_AND_ASSIGN(const SubmittedSweep finished, s_->TrySubmit(kSmallSweep, "key-1", true));
  EXPECT_EQ(finished.id, first) << "nothing to resume: as without";

  const SweepId second = s_->Submit(kSmallSweep, "key-2");
  const SweepId third = s_->Submit(kSmallSweep, "key-3");
  s_->Submit(std::string(kSmallSweep) + "# more\n", "key-4");
  ASSERT_THAT(s_->store().SetPaused(third, true, At(1)), IsOk());
  ASSERT_OK_AND_ASSIGN(const SubmittedSweep resumed, s_->TrySubmit(kSmallSweep, "key-1", true));
  EXPECT_EQ(resumed.id, third);
  EXPECT_FALSE(resumed.created);
  EXPECT_EQ(resumed.jobs, 8);
  ASSERT_OK_AND_ASSIGN(const SubmittedSweep plain, s_->TrySubmit(kSmallSweep, "key-1"));
  EXPECT_EQ(plain.id, first);

  ASSERT_THAT(s_->store().CancelSweep(third, At(2)), IsOk());
  ASSERT_OK_AND_ASSIGN(const SubmittedSweep older, s_->TrySubmit(kSmallSweep, "key-1", true));
  EXPECT_EQ(older.id, second);
}

TEST_P(StoreSweepsTest, SubmitOfSameKeyWithOtherContentIsRefused) {
  s_->Submit();
  EXPECT_THAT(s_->TrySubmit(std::string(kSmallSweep) + "# more\n", "key-1"),
              StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("key-1")));
  ASSERT_OK_AND_ASSIGN(const std::vector<SweepRecord> sweeps, s_->reader().ListSweeps());
  EXPECT_THAT(sweeps, SizeIs(1));
}

TEST_P(StoreSweepsTest, SubmitSkipsExcludedCellsAndKeepsTheirPlace) {
  const SweepId id = s_->Submit(std::string(kSmallSweep) + "exclude:\n  - { model: mlp, optimizer: sgd }\n");
  ASSERT_OK_AND_ASSIGN(const std::vector<CellResults> cells, s_->reader().ListResults(id));
  ASSERT_THAT(cells, SizeIs(3));
  EXPECT_EQ(cells[0].ordinal, 0);
  EXPECT_EQ(cells[1].ordinal, 2);
  EXPECT_EQ(s_->Sweep(id).jobs.total(), 6);
}

TEST_P(StoreSweepsTest, PausedSweepGivesNoJobsUntilResumed) {
  const SweepId id = s_->Submit();
  ASSERT_THAT(s_->store().SetPaused(id, true, At(1)), IsOk());
  ASSERT_THAT(s_->store().SetPaused(id, true, At(1)), IsOk()) << "already paused";
  EXPECT_EQ(s_->Sweep(id).state, SweepState::kPaused);
  EXPECT_THAT(s_->Claim(1), IsEmpty());
  EXPECT_FALSE(s_->store().HasPendingJobs().value());
  ASSERT_THAT(s_->store().SetPaused(id, false, At(2)), IsOk());
  EXPECT_THAT(s_->Claim(1), SizeIs(1));
}

TEST_P(StoreSweepsTest, PauseOfUnknownOrOverSweepIsAnError) {
  EXPECT_THAT(s_->store().SetPaused(SweepId{9}, true, At(1)),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("9")));
  const SweepId id = s_->Submit();
  ASSERT_THAT(s_->store().CancelSweep(id, At(2)), IsOk());
  EXPECT_THAT(s_->store().SetPaused(id, true, At(3)),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("cancelled")));
  EXPECT_THAT(s_->store().SetPaused(id, false, At(3)),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("resumed")));
}

TEST_P(StoreSweepsTest, CancelEndsPendingAndRunningJobsButKeepsResults) {
  const SweepId id = s_->Submit();
  s_->Succeed(s_->ClaimOne(), {0.5});
  const OpenAttempt running = s_->ClaimOne();
  ASSERT_OK_AND_ASSIGN(const std::vector<AttemptId> stopped, s_->store().CancelSweep(id, At(30)));
  EXPECT_THAT(stopped, ElementsAre(running.attempt));
  const SweepRecord sweep = s_->Sweep(id);
  EXPECT_EQ(sweep.state, SweepState::kCancelled);
  EXPECT_EQ(sweep.finished, At(30));
  EXPECT_EQ(sweep.jobs.succeeded, 1);
  EXPECT_EQ(sweep.jobs.cancelled, 7);
  EXPECT_EQ(s_->Job(running.job).attempts.at(0).state, AttemptState::kCancelled);
  EXPECT_THAT(s_->TryEpoch(running, 1, MakeEpoch(1, 0.5)),
              StatusIs(absl::StatusCode::kAborted, HasSubstr("over")));
  EXPECT_FALSE(s_->store().HasPendingJobs().value());
}

TEST_P(StoreSweepsTest, SecondCancelDoesNothing) {
  const SweepId id = s_->Submit();
  s_->ClaimOne();
  ASSERT_THAT(s_->store().CancelSweep(id, At(30)), IsOk());
  ASSERT_OK_AND_ASSIGN(const std::vector<AttemptId> stopped, s_->store().CancelSweep(id, At(40)));
  EXPECT_THAT(stopped, IsEmpty());
  EXPECT_EQ(s_->Sweep(id).finished, At(30));
  EXPECT_THAT(s_->store().CancelSweep(SweepId{9}, At(1)),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("9")));
}

TEST_P(StoreSweepsTest, SweepFinishesWithItsLastJob) {
  const SweepId id = s_->Submit();
  const std::vector<ClaimedJob> jobs = s_->Claim(8);
  for (size_t i = 0; i < 7; ++i) s_->Succeed(jobs[i].attempt, {0.5});
  EXPECT_EQ(s_->Sweep(id).state, SweepState::kActive);
  s_->Fail(jobs[7].attempt, "boom", JobState::kFailed, At(50));
  EXPECT_EQ(s_->Sweep(id).state, SweepState::kFinished);
  EXPECT_EQ(s_->Sweep(id).finished, At(50));
  ASSERT_OK_AND_ASSIGN(const std::vector<AttemptId> stopped, s_->store().CancelSweep(id, At(60)));
  EXPECT_THAT(stopped, IsEmpty());
  EXPECT_EQ(s_->Sweep(id).state, SweepState::kFinished) << "a finished sweep cannot be cancelled";
}

TEST_P(StoreSweepsTest, PausedSweepFinishesToo) {
  const SweepId id = s_->Submit();
  const std::vector<ClaimedJob> jobs = s_->Claim(8);
  ASSERT_THAT(s_->store().SetPaused(id, true, At(11)), IsOk());
  for (const ClaimedJob& job : jobs) s_->Succeed(job.attempt, {0.5});
  EXPECT_EQ(s_->Sweep(id).state, SweepState::kFinished);
}

TEST_P(StoreSweepsTest, RetryMakesFailedJobsPendingWithFreshCounters) {
  const SweepId id = s_->Submit();
  const std::vector<ClaimedJob> jobs = s_->Claim(8);
  for (size_t i = 0; i < 6; ++i) s_->Succeed(jobs[i].attempt, {0.5});
  s_->Diverge(jobs[6].attempt);
  s_->Fail(jobs[7].attempt, "boom");
  ASSERT_EQ(s_->Sweep(id).state, SweepState::kFinished);
  ASSERT_OK_AND_ASSIGN(const int64_t retried, s_->store().RetryJobs(id, At(60)));
  EXPECT_EQ(retried, 1);
  EXPECT_EQ(s_->Sweep(id).state, SweepState::kActive);
  EXPECT_EQ(s_->Sweep(id).finished, std::nullopt);
  EXPECT_EQ(s_->Sweep(id).jobs.diverged, 1) << "a result is never retried";
  const OpenAttempt again = s_->ClaimOne(At(61));
  EXPECT_EQ(again.job, jobs[7].attempt.job);
  EXPECT_EQ(again.counters, RetryCounters{});
  EXPECT_EQ(again.number, 2) << "attempts go on counting";
}

TEST_P(StoreSweepsTest, RetryOfCancelledSweepRunsItAgain) {
  const SweepId id = s_->Submit();
  ASSERT_THAT(s_->store().CancelSweep(id, At(5)), IsOk());
  ASSERT_OK_AND_ASSIGN(const int64_t retried, s_->store().RetryJobs(id, At(6)));
  EXPECT_EQ(retried, 8);
  EXPECT_EQ(s_->Sweep(id).state, SweepState::kActive);
  EXPECT_THAT(s_->Claim(100), SizeIs(8));
}

TEST_P(StoreSweepsTest, RetryWithNothingToRetryChangesNothing) {
  const SweepId id = s_->Submit();
  ASSERT_THAT(s_->store().SetPaused(id, true, At(1)), IsOk());
  ASSERT_OK_AND_ASSIGN(const int64_t retried, s_->store().RetryJobs(id, At(2)));
  EXPECT_EQ(retried, 0);
  EXPECT_EQ(s_->Sweep(id).state, SweepState::kPaused);
  EXPECT_THAT(s_->store().RetryJobs(SweepId{9}, At(1)),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("9")));
}

TEST_P(StoreSweepsTest, EverythingIsThereAfterReopening) {
  const SweepId id = s_->Submit();
  const OpenAttempt done = s_->ClaimOne();
  s_->Succeed(done, {0.5, 0.6});
  const OpenAttempt running = s_->ClaimOne();
  ASSERT_THAT(s_->TryStart(running), IsOk());
  Reopen();
  EXPECT_EQ(s_->Sweep(id).jobs.succeeded, 1);
  EXPECT_EQ(s_->Sweep(id).dataset_digest, "digest-1");
  ASSERT_OK_AND_ASSIGN(const std::vector<OpenAttempt> open, s_->store().OpenAttempts());
  ASSERT_THAT(open, SizeIs(1));
  EXPECT_EQ(open[0].token, running.token);
  EXPECT_EQ(open[0].stored_seq, 1u);
  EXPECT_THAT(s_->TryEpoch(running, 2, MakeEpoch(1, 0.5)), IsOk()) << "the lease survives a restart";
}

GRIDSWEEP_STORE_SUITE(StoreSweepsTest);

}  // namespace
}  // namespace gridsweep
