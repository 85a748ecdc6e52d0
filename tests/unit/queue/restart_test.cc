// The coordinator is killed and started again, or stalls, while workers train on.
#include "tests/unit/queue/queue_fixture.h"

namespace gridsweep {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class RestartTest : public QueueTest {
 protected:
  RestartTest() { sweep_ = Submit(kTwoJobs); }

  SweepId sweep_;
  FakeWorker alice_{"alice"};
  FakeWorker bob_{"bob"};
};

TEST_F(RestartTest, RunningWorkersCarryOn) {
  const AttemptId attempt = Lease(alice_);
  alice_.Report(attempt, AttemptStarted{Tiny(), "cpu", "environment"});
  alice_.Report(attempt, Epoch(1));
  Sync(alice_);
  alice_.Report(attempt, Epoch(2));
  Restart();
  alice_.Report(attempt, Finished(AttemptState::kSucceeded));
  const SyncOutput output = Sync(alice_);
  EXPECT_TRUE(output.send_info) << "devices and data sets are not stored";
  EXPECT_EQ(Job(1).state, JobState::kSucceeded);
  EXPECT_EQ(Job(1).attempts, 1);
  EXPECT_EQ(QueryInt("SELECT count(*) FROM v_epochs"), 2);
  EXPECT_EQ(alice_.job(Lease(alice_)).attempt.job, JobId{2}) << "and it is given work again";
}

TEST_F(RestartTest, AReportThatWasCommittedButNotAcknowledgedIsStoredOnce) {
  const AttemptId attempt = Lease(alice_);
  alice_.ReportAll(attempt);
  ASSERT_THAT(Exchange(alice_.Request()), IsOk());  // killed before the answer left
  Restart();
  Sync(alice_);
  EXPECT_THAT(alice_.held(), IsEmpty());
  EXPECT_EQ(Job(1).state, JobState::kSucceeded);
  EXPECT_EQ(QueryInt("SELECT count(*) FROM v_epochs"), 2);
}

TEST_F(RestartTest, EveryOpenLeaseGetsAFreshTerm) {
  Lease(alice_);
  Pass(kLease - absl::Seconds(1));
  clock_.Advance(absl::Hours(1));  // the coordinator was down
  Restart();
  Pass(kLease - absl::Seconds(1));
  EXPECT_EQ(Job(1).state, JobState::kRunning);
  Pass(absl::Seconds(1));
  EXPECT_EQ(Job(1).state, JobState::kPending) << "but only one";
  EXPECT_EQ(Job(1).counters.losses, 1);
}

TEST_F(RestartTest, ALeaseThatNeverReachedItsWorkerIsReturnedWhenTheWorkerIsHeard) {
  Sync(alice_);  // takes job 1
  alice_.slots = 2;
  ASSERT_OK_AND_ASSIGN(const SyncOutput lost, Exchange(alice_.Request()));
  ASSERT_THAT(lost.leases, SizeIs(1));
  Restart();
  EXPECT_THAT(Sync(alice_).leases, IsEmpty());  // its info is asked for first
  EXPECT_EQ(Job(1).state, JobState::kRunning) << "held by the worker, so untouched";
  EXPECT_EQ(Job(2).state, JobState::kPending);
  EXPECT_EQ(Job(2).counters, (RetryCounters{.losses = 0, .failures = 0, .preemptions = 1}));
  const AttemptId again = Lease(alice_);
  EXPECT_EQ(alice_.job(again).attempt.job, JobId{2});
  EXPECT_THAT(alice_.job(again).job_json, testing::HasSubstr("seed"));
}

TEST_F(RestartTest, AWorkerThatWasReplacedMeanwhileIsFenced) {
  const AttemptId lost = Lease(alice_);
  Pass(kLease);
  const AttemptId taken = Lease(bob_);
  Restart();
  alice_.ReportAll(lost, 0.9);
  alice_.slots = 0;
  EXPECT_THAT(Sync(alice_).stop, ElementsAre(lost));
  bob_.ReportAll(taken, 0.6);
  Sync(bob_);
  EXPECT_DOUBLE_EQ(Job(1).objective.value_or(0), 0.6);
}

TEST_F(RestartTest, AnExpiredLeaseIsRevivedAcrossARestart) {
  const AttemptId attempt = Lease(alice_);
  Pass(kLease);
  ASSERT_EQ(Job(1).state, JobState::kPending);
  Restart();
  alice_.ReportAll(attempt);
  alice_.slots = 0;
  Sync(alice_);
  EXPECT_EQ(Job(1).state, JobState::kSucceeded);
  EXPECT_EQ(Job(1).attempts, 1);
  EXPECT_EQ(Job(1).counters.losses, 0);
}

TEST_F(RestartTest, ALostBatchIsForgottenAndSentAgain) {
  const AttemptId attempt = Lease(alice_);
  alice_.ReportAll(attempt);
  ASSERT_THAT(files_.store->BeginBatch(), IsOk());
  ASSERT_THAT(queue_->Sync(alice_.Request(), clock_.Now()), IsOk());
  files_.store->RollbackBatch();  // the disk was full; nobody was answered
  ASSERT_THAT(queue_->Load(*files_.reader, clock_.Now()), IsOk());
  ASSERT_EQ(Job(1).state, JobState::kRunning);

  Sync(alice_);
  EXPECT_EQ(Job(1).state, JobState::kSucceeded);
  EXPECT_EQ(QueryInt("SELECT count(*) FROM v_epochs"), 2);
  EXPECT_EQ(QueryInt("SELECT count(*) FROM v_attempts WHERE job = 1"), 1);
}

// Its registration was never answered, so it asks again.
TEST_F(RestartTest, AfterALostBatchTheNewSessionTakesOverAgain) {
  Lease(alice_);
  ASSERT_THAT(files_.store->BeginBatch(), IsOk());
  FakeWorker after("alice", "after");
  ASSERT_THAT(queue_->Sync(after.Request(), clock_.Now()), IsOk());
  files_.store->RollbackBatch();
  ASSERT_THAT(queue_->Load(*files_.reader, clock_.Now()), IsOk());
  EXPECT_THAT(Sync(after).leases, SizeIs(1));
  EXPECT_THAT(Exchange(alice_.Request()), StatusIs(absl::StatusCode::kAborted, testing::_));
}

// The machine was suspended, or the disk hung: nobody could be heard, so nobody is to blame.
TEST_F(RestartTest, AStallOfOursExpiresNoLease) {
  Lease(alice_);
  Lease(bob_);
  clock_.Advance(absl::Hours(8));
  Tick();
  EXPECT_EQ(Job(1).state, JobState::kRunning);
  EXPECT_EQ(Job(2).state, JobState::kRunning);
  Pass(kLease - absl::Seconds(1));
  Sync(alice_);
  Pass(absl::Seconds(1));
  EXPECT_EQ(Job(1).state, JobState::kRunning);
  EXPECT_EQ(Job(2).state, JobState::kPending) << "it had its fresh term";
}

TEST_F(RestartTest, ManyExpiriesAreSpreadOverSeveralTicks) {
  alice_.slots = 2;
  Sync(alice_);
  for (absl::Duration passed; passed < kLease; passed += absl::Seconds(1)) {
    clock_.Advance(absl::Seconds(1));
    ASSERT_THAT(queue_->Tick(clock_.Now(), 1), IsOk());
  }
  EXPECT_EQ(QueryInt("SELECT count(*) FROM v_jobs WHERE state = 'running'"), 1);
  clock_.Advance(absl::Seconds(1));
  ASSERT_THAT(queue_->Tick(clock_.Now(), 1), IsOk());
  EXPECT_EQ(QueryInt("SELECT count(*) FROM v_jobs WHERE state = 'running'"), 0);
}

}  // namespace
}  // namespace gridsweep
