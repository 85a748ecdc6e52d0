// Machines that are sick, and jobs that are poison.
#include "tests/unit/queue/queue_fixture.h"

namespace gridsweep {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr char kManyJobs[] =
    "name: many\ndataset: tiny\ntraining: {epochs: 2, validation: 0.1}\nseeds: [1, 2, 3, 4, 5, 6, 7, 8]\ngrid: {model: mlp}\n";

class QuarantineTest : public QueueTest {
 protected:
  // One job after the other fails on the worker.
  void FailJobs(FakeWorker& worker, int jobs) {
    for (int i = 0; i < jobs; ++i)
      End(worker, Lease(worker), Finished(AttemptState::kFailed, "the disk is broken"));
  }
  std::string QuarantineOf(const std::string& name) {
    for (const LiveWorker& worker : queue_->Workers(clock_.Now())) {
      if (worker.name == name) return worker.quarantine;
    }
    return "not there";
  }
  FakeWorker alice_{"alice"}, bob_{"bob"};
};

TEST_F(QuarantineTest, AWorkerThatFailsSeveralJobsInARowGetsNoMore) {
  Submit(kManyJobs);
  bob_.slots = 0;
  Sync(bob_);
  FailJobs(alice_, 2);
  EXPECT_EQ(QuarantineOf("alice"), "");
  FailJobs(alice_, 1);
  EXPECT_THAT(QuarantineOf("alice"), HasSubstr("the disk is broken"));
  EXPECT_THAT(queue_->TakeDepartures().quarantined, SizeIs(1));
  EXPECT_THAT(Sync(alice_).leases, IsEmpty());
  bob_.slots = 1;
  EXPECT_THAT(Sync(bob_).leases, SizeIs(1)) << "the others go on";

  FakeWorker again("alice", "session-2");
  EXPECT_THAT(Sync(again).leases, SizeIs(1)) << "mended and started anew";
}

TEST_F(QuarantineTest, AJobThatEndsWellBetweenThemShowsThatItIsNotTheMachine) {
  Submit(kManyJobs);
  bob_.slots = 0;
  Sync(bob_);
  FailJobs(alice_, 2);
  const AttemptId good = Lease(alice_);
  alice_.ReportAll(good);
  alice_.slots = 0;  // no new job yet
  Sync(alice_);
  alice_.slots = 1;
  FailJobs(alice_, 2);
  EXPECT_EQ(QuarantineOf("alice"), "");
}

TEST_F(QuarantineTest, JobsThatWouldFailAnywhereSayNothingAboutTheMachine) {
  Submit(kManyJobs);
  bob_.slots = 0;
  Sync(bob_);
  AttemptFinished wrong = Finished(AttemptState::kFailed, "unknown component");
  wrong.retryable = false;
  for (int i = 0; i < 4; ++i) End(alice_, Lease(alice_), wrong);
  EXPECT_EQ(QuarantineOf("alice"), "");
}

TEST_F(QuarantineTest, ALostBatchDoesNotEndIt) {
  Submit(kManyJobs);
  bob_.slots = 0;
  Sync(bob_);
  FailJobs(alice_, 3);
  ASSERT_THAT(queue_->Load(*files_.reader, clock_.Now()), IsOk());
  EXPECT_THAT(Sync(alice_).leases, IsEmpty());
  EXPECT_NE(QuarantineOf("alice"), "");
}

TEST_F(QuarantineTest, TheLastWorkerIsNeverQuarantined) {
  Submit(kManyJobs);
  FailJobs(alice_, 4);
  EXPECT_EQ(QuarantineOf("alice"), "");
}

TEST_F(QuarantineTest, AJobThatFailsOnSeveralWorkersIsPoison) {
  Submit(kOneJob);
  for (int attempt = 0; attempt < 3; ++attempt) {
    Pass(absl::Minutes(3));
    FakeWorker& worker = attempt == 1 ? bob_ : alice_;
    End(worker, Lease(worker), Finished(AttemptState::kFailed, "killed by SIGSEGV"));
  }
  ASSERT_EQ(QueryInt("SELECT count(*) FROM v_jobs WHERE state = 'failed'"), 1);
  EXPECT_EQ(
      QueryInt("SELECT count(*) FROM v_jobs WHERE verdict = 'poison: it failed 3 times, on alice and bob'"),
      1);
}

}  // namespace
}  // namespace gridsweep
