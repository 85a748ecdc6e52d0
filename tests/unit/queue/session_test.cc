// Who a worker is, and what it can be given.
#include "tests/unit/queue/queue_fixture.h"

namespace gridsweep {
namespace {

using absl::StatusCode;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class SessionTest : public QueueTest {
 protected:
  SessionTest() { Submit(kTwoJobs); }
};

TEST_F(SessionTest, NameAndSessionAreRequired) {
  SyncInput nameless = FakeWorker("alice").Request();
  nameless.worker = "";
  EXPECT_THAT(Exchange(nameless), StatusIs(StatusCode::kInvalidArgument, HasSubstr("name")));
  SyncInput sessionless = FakeWorker("alice").Request();
  sessionless.session = "";
  EXPECT_THAT(Exchange(sessionless), StatusIs(StatusCode::kInvalidArgument, HasSubstr("session")));
}

TEST_F(SessionTest, AStrangerIsAskedForItsInfoFirst) {
  SyncInput request = FakeWorker("alice").Request();
  request.info.reset();
  ASSERT_OK_AND_ASSIGN(const SyncOutput output, Exchange(request));
  EXPECT_TRUE(output.send_info);
  EXPECT_THAT(output.leases, IsEmpty());
  EXPECT_EQ(output.next_call, absl::ZeroDuration());
}

TEST_F(SessionTest, AWorkerStartedAnewLosesWhatItRanBefore) {
  FakeWorker before("alice", "before");
  const AttemptId lost = Lease(before);
  FakeWorker after("alice", "after");
  const AttemptId attempt = Lease(after);
  EXPECT_NE(attempt, lost);
  EXPECT_EQ(after.job(attempt).attempt.job, JobId{1}) << "at once, not after the lease";
  EXPECT_EQ(Job(1).counters.losses, 1);
  EXPECT_THAT(Attempts(1).front().error, HasSubstr("restarted"));
}

TEST_F(SessionTest, TheOldSessionOfANameIsTurnedAwayForGood) {
  FakeWorker before("alice", "before");
  Lease(before);
  FakeWorker after("alice", "after");
  const AttemptId attempt = Lease(after);
  EXPECT_THAT(Exchange(before.Request()),
              StatusIs(StatusCode::kAborted, HasSubstr("newer worker named 'alice'")));
  SyncInput with_info = before.Request();
  with_info.info = WorkerInfo{};
  EXPECT_THAT(Exchange(with_info), StatusIs(StatusCode::kAborted, testing::_));
  EXPECT_THAT(Sync(after).stop, IsEmpty());
  EXPECT_THAT(after.held(), ElementsAre(attempt));
}

TEST_F(SessionTest, TheOldSessionIsStillTurnedAwayAfterARestart) {
  FakeWorker before("alice", "before");
  Sync(before);
  FakeWorker after("alice", "after");
  Sync(after);
  Restart();
  SyncInput late = before.Request();
  late.info = WorkerInfo{};
  EXPECT_THAT(Exchange(late), StatusIs(StatusCode::kAborted, HasSubstr("newer worker named 'alice'")));
  EXPECT_THAT(Exchange(after.Request()), IsOk());
}

TEST_F(SessionTest, AWorkerWithoutTheDataSetGetsNothing) {
  FakeWorker alice("alice");
  alice.datasets = {"other"};
  EXPECT_THAT(Sync(alice).leases, IsEmpty());
  FakeWorker bob("bob");
  bob.datasets = {};
  EXPECT_THAT(Sync(bob).leases, IsEmpty());
  FakeWorker carol("carol");
  carol.datasets = {"other", "tiny"};
  EXPECT_THAT(Sync(carol).leases, SizeIs(1));
}

TEST_F(SessionTest, AWorkerThatGetsTheDataLaterSaysSo) {
  FakeWorker alice("alice");
  alice.datasets = {};
  EXPECT_THAT(Sync(alice).leases, IsEmpty());
  SyncInput request = alice.Request();
  request.info = WorkerInfo{};
  request.info->record.devices_json = "[]";
  request.info->datasets = {"tiny"};
  ASSERT_OK_AND_ASSIGN(const SyncOutput output, Exchange(request));
  EXPECT_THAT(output.leases, SizeIs(1));
}

TEST_F(SessionTest, ALateCopyOfTheFirstRequestDoesNotTakeNewsBack) {
  FakeWorker alice("alice");
  alice.slots = 0;
  alice.datasets = {};
  const SyncInput first = alice.Request();
  ASSERT_OK_AND_ASSIGN(const SyncOutput answer, Exchange(first));
  alice.Accept(answer);
  SyncInput news = alice.Request();
  news.info = WorkerInfo{};
  news.info->record.devices_json = "[]";
  news.info->datasets = {"tiny"};
  ASSERT_THAT(Exchange(news), IsOk());
  ASSERT_THAT(Exchange(first), IsOk());
  alice.slots = 1;
  EXPECT_THAT(Sync(alice).leases, SizeIs(1));
}

TEST_F(SessionTest, DataOfOtherContentIsTheWorkersFaultAndNotTheJobs) {
  FakeWorker alice("alice");
  const AttemptId first = Lease(alice);
  alice.Report(first, AttemptStarted{Tiny("one"), "cpu", "e"});
  Sync(alice);

  FakeWorker bob("bob");
  const AttemptId second = Lease(bob);
  EXPECT_THAT(bob.job(second).job_json, HasSubstr(Tiny("one").digest)) << "the sweep is bound to its data";
  bob.Report(second, AttemptStarted{Tiny("two"), "cpu", "e"});
  const SyncOutput output = Sync(bob);
  EXPECT_THAT(output.stop, ElementsAre(second));
  EXPECT_THAT(output.leases, IsEmpty()) << "it would only fail again";
  EXPECT_EQ(Job(2).state, JobState::kPending);
  EXPECT_EQ(Job(2).counters, (RetryCounters{.losses = 0, .failures = 0, .preemptions = 1}));
  EXPECT_THAT(Job(2).error, HasSubstr("another content"));
  Pass(kLease / 2);
  EXPECT_THAT(Sync(bob).leases, IsEmpty());
  EXPECT_THAT(queue_->Workers(clock_.Now()).at(1).datasets, IsEmpty());
  alice.slots = 2;
  EXPECT_THAT(Sync(alice).leases, SizeIs(1));
}

TEST_F(SessionTest, AWorkerThatCannotReadItsDataSetUsesUpNoJobs) {
  FakeWorker alice("alice"), bob("bob");
  bob.slots = 0;
  Sync(bob);
  AttemptFinished unusable = Finished(AttemptState::kPreempted, "data set 'tiny' is truncated");
  unusable.unusable_dataset = "tiny";
  End(alice, Lease(alice), unusable);
  EXPECT_THAT(Sync(alice).leases, IsEmpty()) << "the next job would fare no better";
  EXPECT_EQ(Job(1).state, JobState::kPending);
  EXPECT_EQ(Job(1).counters, (RetryCounters{.losses = 0, .failures = 0, .preemptions = 1}));
  EXPECT_EQ(Job(1).error, "data set 'tiny' is truncated");
  bob.slots = 2;
  EXPECT_THAT(Sync(bob).leases, SizeIs(2));

  FakeWorker mended("alice", "session-2");
  EXPECT_THAT(Sync(mended).leases, IsEmpty()) << "bob has both";
  EXPECT_THAT(queue_->Workers(clock_.Now()).front().datasets, ElementsAre("tiny"))
      << "a new start, a new chance";
}

TEST_F(SessionTest, WhereNobodyElseHasTheDataSetItsJobFails) {
  FakeWorker alice("alice");
  AttemptFinished unusable = Finished(AttemptState::kPreempted, "data set 'tiny' is truncated");
  unusable.unusable_dataset = "tiny";
  End(alice, Lease(alice), unusable);
  EXPECT_EQ(Job(1).counters, (RetryCounters{.losses = 0, .failures = 1, .preemptions = 0}));
  EXPECT_EQ(Job(1).error, "data set 'tiny' is truncated");
}

TEST_F(SessionTest, NoWorkerCanTakeTheWholeQueueAtOnce) {
  std::string seeds = "1";
  for (int seed = 2; seed <= 2000; ++seed) seeds += ", " + std::to_string(seed);
  Submit("name: many\ndataset: tiny\ntraining: {epochs: 1}\nseeds: [" + seeds + "]\ngrid: {model: mlp}\n");
  FakeWorker greedy("greedy");
  greedy.slots = 2'000'000'000;
  EXPECT_EQ(Sync(greedy).leases.size(), 256u);
  EXPECT_EQ(Sync(greedy).leases.size(), 256u) << "but it can ask again";
}

}  // namespace
}  // namespace gridsweep
