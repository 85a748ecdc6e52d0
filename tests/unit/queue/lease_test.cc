// Giving out leases, ending them, giving them back to their holders.
#include "tests/unit/queue/queue_fixture.h"

namespace gridsweep {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class LeaseTest : public QueueTest {
 protected:
  LeaseTest() { Submit(kTwoJobs); }

  FakeWorker alice_{"alice"};
  FakeWorker bob_{"bob"};
};

TEST_F(LeaseTest, EachJobGoesToOneWorker) {
  const AttemptId first = Lease(alice_);
  const AttemptId second = Lease(bob_);
  EXPECT_EQ(alice_.job(first).attempt.job, JobId{1});
  EXPECT_EQ(bob_.job(second).attempt.job, JobId{2});
  EXPECT_NE(alice_.job(first).attempt.token, bob_.job(second).attempt.token);
  FakeWorker carol("carol");
  EXPECT_THAT(Sync(carol).leases, IsEmpty());
  EXPECT_EQ(Job(1).state, JobState::kRunning);
}

TEST_F(LeaseTest, AWorkerGetsAsManyJobsAsItHasRoomFor) {
  alice_.slots = 0;
  EXPECT_THAT(Sync(alice_).leases, IsEmpty());
  alice_.slots = 2;
  EXPECT_THAT(Sync(alice_).leases, SizeIs(2));
  EXPECT_THAT(Sync(alice_).leases, IsEmpty()) << "no room any more";
}

TEST_F(LeaseTest, NegativeRoomIsNoRoom) {
  SyncInput request = alice_.Request();
  request.room = -5;
  ASSERT_OK_AND_ASSIGN(const SyncOutput output, Exchange(request));
  EXPECT_THAT(output.leases, IsEmpty());
}

TEST_F(LeaseTest, TheJobsDocumentComesWithTheLease) {
  const ClaimedJob job = alice_.job(Lease(alice_));
  EXPECT_THAT(job.job_json, testing::HasSubstr(R"("seed":1)"));
  EXPECT_THAT(job.job_json, testing::HasSubstr(R"("dataset":"tiny")"));
  EXPECT_EQ(job.attempt.number, 1);
}

TEST_F(LeaseTest, ARepeatedRequestGetsTheSameLeaseAndNoSecondOne) {
  const SyncInput request = alice_.Request();
  ASSERT_OK_AND_ASSIGN(const SyncOutput first, Exchange(request));
  ASSERT_OK_AND_ASSIGN(const SyncOutput second, Exchange(request));
  ASSERT_THAT(first.leases, SizeIs(1));
  ASSERT_THAT(second.leases, SizeIs(1));
  EXPECT_EQ(first.leases[0].attempt.attempt, second.leases[0].attempt.attempt);
  EXPECT_EQ(first.leases[0].attempt.token, second.leases[0].attempt.token);
  EXPECT_EQ(QueryInt("SELECT count(*) FROM v_attempts"), 1);
}

TEST_F(LeaseTest, ALeaseWhoseAnswerWasLostIsOfferedAgain) {
  ASSERT_OK_AND_ASSIGN(const SyncOutput lost, Exchange(alice_.Request()));
  const AttemptId offered = Lease(alice_);
  EXPECT_EQ(offered, lost.leases.at(0).attempt.attempt);
  EXPECT_THAT(Sync(alice_).leases, IsEmpty()) << "held now";
  EXPECT_EQ(QueryInt("SELECT count(*) FROM v_attempts"), 1);
}

TEST_F(LeaseTest, ALateCopyOfAnOlderRequestGetsNoWork) {
  const SyncInput old = alice_.Request();  // asks for a job, and is held up on its way
  const AttemptId attempt = Lease(alice_);
  ASSERT_OK_AND_ASSIGN(const SyncOutput late, Exchange(old));
  EXPECT_THAT(late.leases, IsEmpty());
  EXPECT_THAT(late.stop, IsEmpty());
  EXPECT_THAT(Sync(alice_).stop, IsEmpty());
  EXPECT_THAT(alice_.held(), ElementsAre(attempt));
  EXPECT_EQ(QueryInt("SELECT count(*) FROM v_attempts"), 1);
}

TEST_F(LeaseTest, AWorkerThatIsHeardKeepsItsLease) {
  const AttemptId attempt = Lease(alice_);
  for (int i = 0; i < 10; ++i) {
    Pass(kLease - absl::Seconds(1));
    ASSERT_EQ(Job(1).state, JobState::kRunning);
    EXPECT_THAT(Sync(alice_).stop, IsEmpty());
  }
  EXPECT_THAT(alice_.held(), ElementsAre(attempt));
  EXPECT_EQ(Job(1).counters, RetryCounters{});
}

TEST_F(LeaseTest, EventsAreASignOfLifeToo) {
  const AttemptId attempt = Lease(alice_);
  alice_.Report(attempt, AttemptStarted{Tiny(), "cpu", "environment"});
  Pass(kLease - absl::Seconds(1));
  SyncInput request = alice_.Request();
  request.held.clear();
  ASSERT_THAT(Exchange(request), IsOk());
  Pass(kLease - absl::Seconds(1));
  EXPECT_EQ(Job(1).state, JobState::kRunning);
}

TEST_F(LeaseTest, AnExpiredLeaseCountsALossAndTheJobIsGivenToAnother) {
  const AttemptId lost = Lease(alice_);
  Pass(kLease - absl::Seconds(1));
  EXPECT_EQ(Job(1).state, JobState::kRunning);
  Pass(absl::Seconds(1));
  EXPECT_EQ(Job(1).state, JobState::kPending);
  EXPECT_EQ(Job(1).counters, (RetryCounters{.losses = 1, .failures = 0, .preemptions = 0}));
  EXPECT_THAT(Job(1).error, testing::HasSubstr("not heard"));

  const AttemptId next = Lease(bob_);
  EXPECT_NE(next, lost);
  EXPECT_EQ(bob_.job(next).attempt.job, JobId{1});
  EXPECT_EQ(bob_.job(next).attempt.number, 2);
}

TEST_F(LeaseTest, AnExpiredLeaseThatNobodyTookIsRevived) {
  const AttemptId attempt = Lease(alice_);
  alice_.Report(attempt, AttemptStarted{Tiny(), "cpu", "environment"});
  Sync(alice_);
  alice_.Report(attempt, Epoch(1));
  Pass(2 * kLease);
  ASSERT_EQ(Job(1).state, JobState::kPending);

  EXPECT_THAT(Sync(alice_).stop, IsEmpty());
  EXPECT_EQ(Job(1).state, JobState::kRunning);
  EXPECT_EQ(Job(1).counters.losses, 0) << "it was no loss";
  alice_.Report(attempt, Epoch(2));
  alice_.Report(attempt, Finished(AttemptState::kSucceeded));
  Sync(alice_);
  EXPECT_EQ(Job(1).state, JobState::kSucceeded);
  EXPECT_EQ(Job(1).attempts, 1);
}

TEST_F(LeaseTest, ARevivedLeaseExpiresLikeAnyOther) {
  const AttemptId attempt = Lease(alice_);
  for (int i = 0; i < 7; ++i) {  // more often than losses are allowed
    Pass(2 * kLease);
    ASSERT_EQ(Job(1).counters.losses, 1);
    Sync(alice_);
    ASSERT_THAT(alice_.held(), testing::Contains(attempt));
  }
  EXPECT_EQ(Job(1).counters.losses, 0);
}

TEST_F(LeaseTest, ALeaseThatAnotherTookIsNotRevived) {
  const AttemptId lost = Lease(alice_);
  alice_.ReportAll(lost, 0.9);  // not sent before the lease expires
  Pass(2 * kLease);
  const AttemptId taken = Lease(bob_);

  alice_.slots = 0;
  const SyncOutput output = Sync(alice_);
  EXPECT_THAT(output.stop, ElementsAre(lost));
  EXPECT_THAT(alice_.held(), IsEmpty());
  EXPECT_EQ(QueryInt("SELECT count(*) FROM v_epochs"), 0) << "a zombie's epochs are not stored";
  EXPECT_EQ(Job(1).state, JobState::kRunning);

  bob_.ReportAll(taken, 0.6);
  Sync(bob_);
  EXPECT_DOUBLE_EQ(Job(1).objective.value_or(0), 0.6);
}

TEST_F(LeaseTest, ALostAttemptIsNotRevivedForAStranger) {
  const AttemptId lost = Lease(alice_);
  bob_.slots = 0;
  Sync(bob_);
  Pass(2 * kLease);
  SyncInput request = bob_.Request();
  request.held.push_back({.attempt = lost, .token = alice_.job(lost).attempt.token});
  ASSERT_OK_AND_ASSIGN(const SyncOutput output, Exchange(request));
  EXPECT_THAT(output.stop, ElementsAre(lost));
  EXPECT_EQ(Job(1).state, JobState::kPending);
  EXPECT_THAT(Sync(alice_).stop, IsEmpty());
  EXPECT_EQ(Job(1).state, JobState::kRunning);
}

TEST_F(LeaseTest, OnlyTheNewestAttemptIsRevived) {
  const AttemptId oldest = Lease(alice_);
  Pass(2 * kLease);
  Lease(bob_);
  Pass(2 * kLease);  // both are lost now and the job is free
  ASSERT_EQ(Job(1).state, JobState::kPending);
  alice_.slots = 0;
  EXPECT_THAT(Sync(alice_).stop, ElementsAre(oldest));
  EXPECT_EQ(Job(1).state, JobState::kPending);
  bob_.slots = 0;
  EXPECT_THAT(Sync(bob_).stop, IsEmpty());
  EXPECT_EQ(Job(1).state, JobState::kRunning);
}

TEST_F(LeaseTest, AZombieThatFinishesAfterTheNewResultChangesNothing) {
  const AttemptId lost = Lease(alice_);
  Pass(2 * kLease);
  const AttemptId taken = Lease(bob_);
  bob_.ReportAll(taken, 0.6);
  Sync(bob_);
  alice_.ReportAll(lost, 0.9);
  alice_.slots = 0;
  EXPECT_THAT(Sync(alice_).stop, ElementsAre(lost));
  EXPECT_DOUBLE_EQ(Job(1).objective.value_or(0), 0.6);
  EXPECT_EQ(QueryInt("SELECT count(*) FROM v_attempts WHERE job = 1 AND accepted"), 1);
}

TEST_F(LeaseTest, AWrongTokenOpensNothing) {
  const AttemptId attempt = Lease(alice_);
  for (FakeWorker* forger : {&bob_, &alice_}) {
    SyncInput forged = forger->Request();
    forged.room = 0;
    forged.held = {{attempt, std::string(32, '0'), "cpu", 1, 0}};
    forged.events = {{attempt, std::string(32, '0'), {{1, Finished(AttemptState::kFailed, "gotcha")}}}};
    ASSERT_OK_AND_ASSIGN(const SyncOutput output, Exchange(forged));
    EXPECT_THAT(output.stop, ElementsAre(attempt));
    EXPECT_THAT(output.stored, IsEmpty());
    EXPECT_EQ(Job(1).state, JobState::kRunning);
  }
  EXPECT_THAT(Sync(alice_).stop, IsEmpty());
}

TEST_F(LeaseTest, AnUnknownAttemptIsToBeStopped) {
  SyncInput request = alice_.Request();
  request.room = 0;
  request.held.push_back({AttemptId{4711}, std::string(32, 'a'), "cpu", 1, 0});
  ASSERT_OK_AND_ASSIGN(const SyncOutput output, Exchange(request));
  EXPECT_THAT(output.stop, ElementsAre(AttemptId{4711}));
}

TEST_F(LeaseTest, ALostJobFailsAtTheLimitOfLosses) {
  for (int loss = 1; loss <= 5; ++loss) {
    ASSERT_EQ(Job(1).state, JobState::kPending) << loss;
    FakeWorker worker("worker-" + std::to_string(loss));
    Lease(worker);
    Pass(kLease);
    EXPECT_EQ(Job(1).counters.losses, loss);
  }
  EXPECT_EQ(Job(1).state, JobState::kFailed);
  EXPECT_EQ(Job(1).counters.failures, 0);
}

TEST_F(LeaseTest, TheWallClockMayJump) {
  const AttemptId attempt = Lease(alice_);
  clock_.SetWall(clock_.Now().wall + absl::Hours(24));
  Pass(absl::Seconds(10));
  EXPECT_EQ(Job(1).state, JobState::kRunning);
  clock_.SetWall(clock_.Now().wall - absl::Hours(48));
  Pass(absl::Seconds(10));
  EXPECT_THAT(Sync(alice_).stop, IsEmpty());
  EXPECT_THAT(alice_.held(), ElementsAre(attempt));
}

TEST_F(LeaseTest, TheLiveViewShowsWhoTrainsWhat) {
  const AttemptId attempt = Lease(alice_);
  Sync(alice_);
  Sync(bob_);
  ASSERT_THAT(queue_->Leases(), SizeIs(2));
  EXPECT_EQ(queue_->Leases()[0].attempt, attempt);
  EXPECT_EQ(queue_->Leases()[0].worker, "alice");
  EXPECT_EQ(queue_->Leases()[0].device, "cpu");
  EXPECT_EQ(queue_->Leases()[0].epoch_fraction, 0.5);
  ASSERT_THAT(queue_->Workers(clock_.Now()), SizeIs(2));
  EXPECT_EQ(queue_->Workers(clock_.Now())[0].running, 1);
  Pass(kLease + absl::Seconds(1));
  EXPECT_THAT(queue_->Workers(clock_.Now()), IsEmpty());
}

TEST_F(LeaseTest, AWorkerThatLeavesIsGoneOnceItsWorkIsHandedBackAndGetsNoMore) {
  Submit();
  const AttemptId attempt = Lease(alice_);
  SyncInput early = alice_.Request();
  early.leaving = true;
  ASSERT_THAT(Exchange(early), IsOk());
  EXPECT_THAT(queue_->Workers(clock_.Now()), SizeIs(1)) << "it still holds a job";
  alice_.Report(attempt, Finished(AttemptState::kPreempted, "the worker is stopping"));
  SyncInput last = alice_.Request();
  last.room = 1;
  last.leaving = true;
  ASSERT_OK_AND_ASSIGN(const SyncOutput answer, Exchange(last));
  EXPECT_THAT(answer.leases, IsEmpty());
  EXPECT_THAT(queue_->Workers(clock_.Now()), IsEmpty());
  EXPECT_EQ(QueryInt("SELECT count(*) FROM v_workers WHERE left_us IS NOT NULL"), 1);
  EXPECT_EQ(queue_->TakeDepartures().left, std::vector<std::string>{"alice"});
  Pass(kLease + absl::Seconds(1));
  EXPECT_THAT(queue_->TakeDepartures().lost, IsEmpty()) << "it left, and is not lost";
  Restart();
  EXPECT_THAT(queue_->Workers(clock_.Now()), IsEmpty());

  FakeWorker again("alice", "session-2");
  Sync(again);
  EXPECT_THAT(queue_->Workers(clock_.Now()), SizeIs(1));
  EXPECT_EQ(QueryInt("SELECT count(*) FROM v_workers WHERE left_us IS NULL"), 1);
}

TEST_F(LeaseTest, PacingGrowsWithTheNumberOfWorkers) {
  alice_.slots = 0;
  const absl::Duration idle = Sync(alice_).next_call;
  EXPECT_LE(idle, absl::Seconds(1));
  const absl::Duration busy = Sync(bob_).next_call;
  EXPECT_LT(busy, kLease / 2) << "a worker must have more than one chance to renew";
  ASSERT_THAT(files_.store->BeginBatch(), IsOk());
  for (int i = 0; i < 1000; ++i) {
    FakeWorker other("other-" + std::to_string(i));
    other.slots = 0;
    ASSERT_THAT(queue_->Sync(other.Request(), clock_.Now()), IsOk());
  }
  ASSERT_THAT(files_.store->CommitBatch(), IsOk());
  EXPECT_GT(Sync(alice_).next_call, idle);
  EXPECT_LT(Sync(bob_).next_call, kLease / 2);
}

TEST_F(LeaseTest, WhatIsGivenUpIsToldOnce) {
  const AttemptId attempt = Lease(alice_);
  Sync(bob_);
  Pass(kLease / 2);
  Sync(bob_);
  EXPECT_THAT(queue_->TakeDepartures().lost, IsEmpty());
  Pass(kLease / 2 + absl::Seconds(1));
  Departures gone = queue_->TakeDepartures();
  ASSERT_THAT(gone.lost, SizeIs(1));
  EXPECT_EQ(gone.lost[0].name, "alice");
  EXPECT_EQ(gone.lost[0].attempts, 1);
  ASSERT_THAT(gone.attempts, SizeIs(1));
  EXPECT_EQ(gone.attempts[0].attempt, attempt);
  EXPECT_EQ(gone.attempts[0].job, JobId{1});
  EXPECT_EQ(gone.attempts[0].worker, "alice");
  EXPECT_EQ(gone.attempts[0].reason, "the worker was not heard for 30s");
  Pass(absl::Seconds(5));
  gone = queue_->TakeDepartures();
  EXPECT_THAT(gone.lost, IsEmpty());
  EXPECT_THAT(gone.attempts, IsEmpty());
}

TEST_F(LeaseTest, AWorkerStartedAnewLosesWhatItHeld) {
  Lease(alice_);
  FakeWorker again("alice", "session-2");
  Sync(again);
  const Departures gone = queue_->TakeDepartures();
  EXPECT_THAT(gone.lost, IsEmpty());
  ASSERT_THAT(gone.attempts, SizeIs(1));
  EXPECT_EQ(gone.attempts[0].reason, "the worker was restarted");
}

TEST_F(LeaseTest, AfterARestartOnlyWorkersThatHeldSomethingCanBeLost) {
  Lease(alice_);
  bob_.slots = 0;
  Sync(bob_);
  Restart();
  Pass(kLease + absl::Seconds(1));
  const Departures gone = queue_->TakeDepartures();
  ASSERT_THAT(gone.lost, SizeIs(1));
  EXPECT_EQ(gone.lost[0].name, "alice");
  EXPECT_THAT(gone.attempts, SizeIs(1));
}

}  // namespace
}  // namespace gridsweep
