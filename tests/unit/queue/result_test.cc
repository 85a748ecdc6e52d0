// Taking reports: in order, once, and only from the holder.
#include "tests/unit/queue/queue_fixture.h"

namespace gridsweep {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

class ResultTest : public QueueTest {
 protected:
  ResultTest() {
    sweep_ = Submit(kOneJob);
    attempt_ = Lease(alice_);
  }

  int64_t StoredEpochs() { return QueryInt("SELECT count(*) FROM v_epochs"); }

  SweepId sweep_;
  FakeWorker alice_{"alice"};
  AttemptId attempt_;
};

TEST_F(ResultTest, AResultIsStoredAcknowledgedAndFinishesTheSweep) {
  alice_.ReportAll(attempt_, 0.75);
  const SyncOutput output = Sync(alice_);
  EXPECT_THAT(output.stored, ElementsAre(Pair(attempt_, 4)));
  EXPECT_THAT(alice_.held(), IsEmpty());
  EXPECT_EQ(Job(1).state, JobState::kSucceeded);
  EXPECT_DOUBLE_EQ(Job(1).objective.value_or(0), 0.75);
  EXPECT_EQ(Job(1).objective_epoch, 2);
  EXPECT_EQ(StoredEpochs(), 2);
  EXPECT_EQ(State(sweep_), SweepState::kFinished);
  EXPECT_THAT(queue_->Leases(), IsEmpty());
}

TEST_F(ResultTest, AReportWhoseAcknowledgementWasLostIsStoredOnce) {
  alice_.Report(attempt_, AttemptStarted{Tiny(), "cpu", "environment"});
  alice_.Report(attempt_, Epoch(1));
  ASSERT_THAT(Exchange(alice_.Request()), IsOk());  // the answer is lost
  alice_.Report(attempt_, Epoch(2));
  EXPECT_THAT(Sync(alice_).stored, ElementsAre(Pair(attempt_, 3)));
  EXPECT_EQ(StoredEpochs(), 2);
}

TEST_F(ResultTest, AFinishWhoseAcknowledgementWasLostIsAcknowledgedAgain) {
  alice_.ReportAll(attempt_, 0.75);
  ASSERT_THAT(Exchange(alice_.Request()), IsOk());  // the answer is lost
  const SyncOutput output = Sync(alice_);
  EXPECT_THAT(output.stored, ElementsAre(Pair(attempt_, 4)));
  EXPECT_THAT(alice_.held(), IsEmpty());
  EXPECT_EQ(StoredEpochs(), 2);
  EXPECT_EQ(QueryInt("SELECT count(*) FROM v_attempts WHERE accepted"), 1);
}

TEST_F(ResultTest, ALateCopyStoresNothingTwice) {
  alice_.Report(attempt_, AttemptStarted{Tiny(), "cpu", "environment"});
  alice_.Report(attempt_, Epoch(1));
  const SyncInput first = alice_.Request();
  ASSERT_OK_AND_ASSIGN(const SyncOutput answer, Exchange(first));
  alice_.Accept(answer);
  alice_.Report(attempt_, Epoch(2));
  Sync(alice_);
  ASSERT_OK_AND_ASSIGN(const SyncOutput late, Exchange(first));
  EXPECT_THAT(late.stored, ElementsAre(Pair(attempt_, 3)));
  EXPECT_EQ(StoredEpochs(), 2);
  EXPECT_EQ(Job(1).state, JobState::kRunning);
}

TEST_F(ResultTest, AfterAGapNothingIsStored) {
  SyncInput request = alice_.Request();
  const std::string token = alice_.job(attempt_).attempt.token;
  request.events = {
      {attempt_,
       token,
       {{1, AttemptStarted{Tiny(), "cpu", "e"}}, {3, Epoch(2)}, {4, Finished(AttemptState::kSucceeded)}}}};
  ASSERT_OK_AND_ASSIGN(const SyncOutput output, Exchange(request));
  EXPECT_THAT(output.stored, ElementsAre(Pair(attempt_, 1))) << "so the worker sends from 2 again";
  EXPECT_EQ(StoredEpochs(), 0);
  EXPECT_EQ(Job(1).state, JobState::kRunning);
}

TEST_F(ResultTest, EventsAfterTheEndAreIgnored) {
  alice_.ReportAll(attempt_, 0.75);
  SyncInput request = alice_.Request();
  request.events[0].events.push_back({5, Epoch(3)});
  request.events[0].events.push_back({6, Finished(AttemptState::kFailed, "no")});
  ASSERT_OK_AND_ASSIGN(const SyncOutput output, Exchange(request));
  EXPECT_THAT(output.stored, ElementsAre(Pair(attempt_, 4)));
  EXPECT_EQ(StoredEpochs(), 2);
  EXPECT_EQ(Job(1).state, JobState::kSucceeded);
}

TEST_F(ResultTest, DivergenceIsAResult) {
  alice_.Report(attempt_, AttemptStarted{Tiny(), "cpu", "environment"});
  alice_.Report(attempt_, Epoch(1, std::numeric_limits<double>::quiet_NaN()));
  alice_.Report(attempt_, Finished(AttemptState::kDiverged, "train_loss is nan"));
  Sync(alice_);
  EXPECT_EQ(Job(1).state, JobState::kDiverged);
  EXPECT_EQ(Job(1).counters, RetryCounters{});
  EXPECT_EQ(State(sweep_), SweepState::kFinished);
  ASSERT_OK_AND_ASSIGN(const int64_t retried, files_.store->RetryJobs(sweep_, clock_.Now().wall));
  EXPECT_EQ(retried, 0) << "a result never changes";
}

// An event the store can never take must not come back for ever, nor end the worker: its job failed.
TEST_F(ResultTest, AnEventThatCannotBeStoredFailsItsAttempt) {
  alice_.Report(attempt_, AttemptStarted{Tiny(), "cpu", "environment"});
  alice_.Report(attempt_, Epoch(1));
  alice_.Report(attempt_, Epoch(1));  // twice the same epoch
  const SyncOutput output = Sync(alice_);
  EXPECT_THAT(output.stop, ElementsAre(attempt_));
  EXPECT_EQ(Job(1).state, JobState::kPending);
  EXPECT_EQ(Job(1).counters.failures, 1);
  EXPECT_THAT(Job(1).error, testing::HasSubstr("event 3"));
  EXPECT_EQ(QueryInt("SELECT count(*) FROM v_attempts WHERE state = 'failed' AND epochs = 1"), 1);
}

TEST_F(ResultTest, AnEvaluationThatMakesNoSenseFailsItsAttempt) {
  alice_.ReportAll(attempt_);
  SyncInput request = alice_.Request();
  std::get<AttemptFinished>(request.events[0].events[3].what).evaluation.confusion = {1, 2, 3};
  ASSERT_OK_AND_ASSIGN(const SyncOutput output, Exchange(request));
  EXPECT_THAT(output.stop, ElementsAre(attempt_));
  EXPECT_EQ(Job(1).state, JobState::kPending);
  EXPECT_EQ(Job(1).counters.failures, 1);
}

TEST_F(ResultTest, OneBadAttemptDoesNotHoldUpTheOthers) {
  Submit(kOneJob);
  alice_.slots = 2;
  const AttemptId other = Lease(alice_);
  alice_.Report(attempt_, Epoch(0));  // epochs count from 1
  alice_.ReportAll(other, 0.5);
  alice_.slots = 0;
  Sync(alice_);
  EXPECT_EQ(Job(1).counters.failures, 1);
  EXPECT_EQ(Job(2).state, JobState::kSucceeded);
  EXPECT_THAT(alice_.held(), IsEmpty());
}

}  // namespace
}  // namespace gridsweep
