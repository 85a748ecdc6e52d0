// What becomes of jobs whose attempts fail, are lost, handed back or cancelled.
#include "tests/unit/queue/queue_fixture.h"

namespace gridsweep {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class RetryTest : public QueueTest {
 protected:
  RetryTest() { sweep_ = Submit(kOneJob); }

  SweepId sweep_;
  FakeWorker alice_{"alice"};
};

TEST_F(RetryTest, AFailedJobWaitsForItsBackOff) {
  options_.retry.backoff = {absl::Seconds(10), absl::Minutes(2)};
  Restart();
  jitter_ = 0.5;
  End(alice_, Lease(alice_), Finished(AttemptState::kFailed, "killed by SIGSEGV"));
  EXPECT_EQ(Job(1).state, JobState::kPending);
  EXPECT_EQ(Job(1).counters, (RetryCounters{.losses = 0, .failures = 1, .preemptions = 0}));
  EXPECT_EQ(Job(1).error, "killed by SIGSEGV");

  Pass(absl::Seconds(4));
  EXPECT_THAT(Sync(alice_).leases, IsEmpty());
  Pass(absl::Seconds(1));
  const AttemptId second = Lease(alice_);
  End(alice_, second, Finished(AttemptState::kFailed, "again"));
  Pass(absl::Seconds(9));
  EXPECT_THAT(Sync(alice_).leases, IsEmpty()) << "twice as long";
  Pass(absl::Seconds(1));
  EXPECT_EQ(alice_.job(Lease(alice_)).attempt.number, 3);
}

TEST_F(RetryTest, TheThirdFailureIsFinal) {
  for (int failure = 1; failure <= 3; ++failure) {
    ASSERT_EQ(Job(1).state, JobState::kPending);
    End(alice_, Lease(alice_), Finished(AttemptState::kFailed, "failure " + std::to_string(failure)));
    Pass(absl::Minutes(1));
  }
  EXPECT_EQ(Job(1).state, JobState::kFailed);
  EXPECT_EQ(Job(1).error, "it failed 3 times, each time on alice: failure 3");
  EXPECT_THAT(Sync(alice_).leases, IsEmpty());
  EXPECT_EQ(State(sweep_), SweepState::kFinished);
}

TEST_F(RetryTest, AFailureThatWouldRepeatIsFinalAtOnce) {
  AttemptFinished finished = Finished(AttemptState::kFailed, "unknown optimizer");
  finished.retryable = false;
  End(alice_, Lease(alice_), finished);
  EXPECT_EQ(Job(1).state, JobState::kFailed);
  EXPECT_EQ(Job(1).attempts, 1);
}

TEST_F(RetryTest, PreemptionNeverCountsAgainstAJob) {
  for (int i = 1; i <= 20; ++i) {
    End(alice_, Lease(alice_), Finished(AttemptState::kPreempted, "drain"));
    ASSERT_EQ(Job(1).state, JobState::kPending);
    ASSERT_EQ(Job(1).counters, (RetryCounters{.losses = 0, .failures = 0, .preemptions = i}));
  }
}

TEST_F(RetryTest, CountersAreNeverMixed) {
  for (int i = 0; i < 2; ++i) {
    End(alice_, Lease(alice_), Finished(AttemptState::kFailed, "crash"));
    Pass(absl::Minutes(2));
  }
  for (int i = 0; i < 4; ++i) {
    FakeWorker other("other-" + std::to_string(i));
    Lease(other);
    Pass(kLease);
  }
  EXPECT_EQ(Job(1).state, JobState::kPending) << "two failures and four losses are below both limits";
  EXPECT_EQ(Job(1).counters, (RetryCounters{.losses = 4, .failures = 2, .preemptions = 0}));
  const AttemptId attempt = Lease(alice_);
  alice_.ReportAll(attempt);
  Sync(alice_);
  EXPECT_EQ(Job(1).state, JobState::kSucceeded);
}

TEST_F(RetryTest, APausedSweepStartsNothingAndFinishesWhatRuns) {
  Submit(kTwoJobs);
  const AttemptId running = Lease(alice_);
  ASSERT_THAT(files_.store->SetPaused(sweep_, true, clock_.Now().wall), IsOk());
  EXPECT_THAT(Sync(alice_).stop, IsEmpty());
  End(alice_, running, Finished(AttemptState::kPreempted, "drain"));
  alice_.slots = 5;
  EXPECT_THAT(Sync(alice_).leases, SizeIs(2)) << "of the other sweep only";
  ASSERT_THAT(files_.store->SetPaused(sweep_, false, clock_.Now().wall), IsOk());
  EXPECT_EQ(alice_.job(Lease(alice_)).attempt.job, JobId{1});
}

TEST_F(RetryTest, ACancelledAttemptIsStoppedAndItsLateResultDropped) {
  const AttemptId running = Lease(alice_);
  ASSERT_THAT(queue_->Cancel(sweep_, clock_.Now()), IsOk());
  EXPECT_EQ(Job(1).state, JobState::kCancelled);
  EXPECT_EQ(State(sweep_), SweepState::kCancelled);
  EXPECT_THAT(queue_->Leases(), IsEmpty());
  alice_.ReportAll(running);
  const SyncOutput output = Sync(alice_);
  EXPECT_THAT(output.stop, ElementsAre(running));
  EXPECT_THAT(output.leases, IsEmpty());
  EXPECT_EQ(Job(1).state, JobState::kCancelled);
  EXPECT_EQ(QueryInt("SELECT count(*) FROM v_attempts WHERE accepted"), 0);
}

TEST_F(RetryTest, CancelIsIdempotentAndKnowsWhatExists) {
  ASSERT_THAT(queue_->Cancel(sweep_, clock_.Now()), IsOk());
  EXPECT_THAT(queue_->Cancel(sweep_, clock_.Now()), IsOk());
  EXPECT_THAT(queue_->Cancel(SweepId{99}, clock_.Now()), StatusIs(absl::StatusCode::kNotFound, testing::_));
}

TEST_F(RetryTest, RetryStartsFailedAndCancelledJobsAfresh) {
  AttemptFinished finished = Finished(AttemptState::kFailed, "bad");
  finished.retryable = false;
  End(alice_, Lease(alice_), finished);
  ASSERT_EQ(State(sweep_), SweepState::kFinished);
  ASSERT_OK_AND_ASSIGN(const int64_t retried, files_.store->RetryJobs(sweep_, clock_.Now().wall));
  EXPECT_EQ(retried, 1);
  EXPECT_EQ(State(sweep_), SweepState::kActive);
  EXPECT_EQ(Job(1).counters, RetryCounters{});
  const AttemptId second = Lease(alice_);
  EXPECT_EQ(alice_.job(second).attempt.number, 2);
  alice_.ReportAll(second);
  Sync(alice_);
  EXPECT_EQ(State(sweep_), SweepState::kFinished);
}

TEST_F(RetryTest, AnAttemptCancelledBeforeARetryStaysDead) {
  const AttemptId cancelled = Lease(alice_);
  ASSERT_THAT(queue_->Cancel(sweep_, clock_.Now()), IsOk());
  ASSERT_THAT(files_.store->RetryJobs(sweep_, clock_.Now().wall), IsOk());
  alice_.ReportAll(cancelled);
  alice_.slots = 0;
  EXPECT_THAT(Sync(alice_).stop, ElementsAre(cancelled));
  EXPECT_EQ(Job(1).state, JobState::kPending);
}

}  // namespace
}  // namespace gridsweep
