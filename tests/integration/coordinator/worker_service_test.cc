// What workers and a coordinator say to each other, over real gRPC.
#include "tests/integration/coordinator/coordinator_fixture.h"
#include "tests/support/wait_until.h"

namespace gridsweep {
namespace {

using absl::StatusCode;
using testing::_;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class WorkerServiceTest : public CoordinatorTest {
 protected:
  WorkerServiceTest() {
    Start();
    EXPECT_THAT(Submit("key"), IsOk());
  }
};

TEST_F(WorkerServiceTest, AnotherProtocolIsRefusedInWordsThatHelp) {
  v1::SyncRequest request = Hello("alice");
  request.set_protocol_version(2);
  EXPECT_THAT(Sync(request), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("run the same release")));
  request.clear_protocol_version();
  EXPECT_THAT(Sync(request), StatusIs(StatusCode::kFailedPrecondition, _));
}

TEST_F(WorkerServiceTest, MalformedRequestsAreRefusedAndStoreNothing) {
  v1::SyncRequest nameless = Hello("");
  EXPECT_THAT(Sync(nameless), StatusIs(StatusCode::kInvalidArgument, _));

  ASSERT_OK_AND_ASSIGN(const v1::SyncResponse leased, Sync(Hello("alice", 1)));
  ASSERT_THAT(leased.leases(), SizeIs(1));
  v1::SyncRequest empty_event = Hello("alice");
  AddReport(empty_event, leased.leases(0), 0.5);
  empty_event.mutable_events(0)->mutable_events(2)->clear_event();
  EXPECT_THAT(Sync(empty_event), StatusIs(StatusCode::kInvalidArgument, HasSubstr("event 3")));
  v1::SyncRequest no_outcome = Hello("alice");
  AddReport(no_outcome, leased.leases(0), 0.5);
  no_outcome.mutable_events(0)->mutable_events(3)->mutable_finished()->clear_outcome();
  EXPECT_THAT(Sync(no_outcome), StatusIs(StatusCode::kInvalidArgument, HasSubstr("outcome")));
  ASSERT_OK_AND_ASSIGN(const v1::JobDetail job, GetJob(leased.leases(0).job()));
  EXPECT_EQ(job.summary().state(), v1::RUNNING);
  EXPECT_THAT(job.epochs(), IsEmpty());
}

TEST_F(WorkerServiceTest, AJobGoesFromLeaseToResult) {
  ASSERT_OK_AND_ASSIGN(const v1::SyncResponse leased, Sync(Hello("alice", 1)));
  ASSERT_THAT(leased.leases(), SizeIs(1));
  const v1::Lease& lease = leased.leases(0);
  EXPECT_EQ(lease.token().size(), 32u);
  EXPECT_THAT(lease.job_json(), HasSubstr("\"seed\":1"));
  EXPECT_EQ(leased.lease_ms(), 30'000);
  EXPECT_GT(leased.next_call_ms(), 0);

  v1::SyncRequest report = Hello("alice");
  report.set_sync_seq(2);
  AddReport(report, lease, 0.5);
  for (int i = 0; i < 2; ++i) {  // the second as if the first answer had been lost
    ASSERT_OK_AND_ASSIGN(const v1::SyncResponse stored, Sync(report));
    ASSERT_THAT(stored.stored(), SizeIs(1));
    EXPECT_EQ(stored.stored(0).attempt(), lease.attempt());
    EXPECT_EQ(stored.stored(0).seq(), 4u);
    EXPECT_THAT(stored.stop(), ElementsAre(lease.attempt()));
  }
  ASSERT_OK_AND_ASSIGN(const v1::JobDetail job, GetJob(lease.job()));
  EXPECT_EQ(job.summary().state(), v1::SUCCEEDED);
  EXPECT_THAT(job.epochs(), SizeIs(2));
}

TEST_F(WorkerServiceTest, ARepeatedRequestIsGivenTheSameLease) {
  ASSERT_OK_AND_ASSIGN(const v1::SyncResponse first, Sync(Hello("alice", 1)));
  ASSERT_OK_AND_ASSIGN(const v1::SyncResponse again, Sync(Hello("alice", 1)));
  ASSERT_THAT(first.leases(), SizeIs(1));
  ASSERT_THAT(again.leases(), SizeIs(1));
  EXPECT_EQ(first.leases(0).attempt(), again.leases(0).attempt());
  EXPECT_EQ(first.leases(0).token(), again.leases(0).token());
}

TEST_F(WorkerServiceTest, ASecondProcessOfTheNameReplacesTheFirst) {
  ASSERT_THAT(Sync(Hello("alice", 1)), IsOk());
  v1::SyncRequest second = Hello("alice", 1);
  second.set_session("another");
  ASSERT_OK_AND_ASSIGN(const v1::SyncResponse leased, Sync(second));
  EXPECT_THAT(leased.leases(), SizeIs(1));
  v1::SyncRequest old = Hello("alice", 1);
  old.set_sync_seq(2);
  EXPECT_THAT(Sync(old), StatusIs(StatusCode::kAborted, HasSubstr("newer worker")));
}

TEST_F(WorkerServiceTest, WorkersAreListedWithTheirState) {
  ASSERT_THAT(Sync(Hello("alice", 1)), IsOk());
  ASSERT_THAT(Sync(Hello("bob")), IsOk());
  ASSERT_OK_AND_ASSIGN(v1::ListWorkersResponse list, ListWorkers());
  ASSERT_THAT(list.workers(), SizeIs(2));
  EXPECT_EQ(list.workers(0).name(), "alice");
  EXPECT_EQ(list.workers(0).state(), "working");
  EXPECT_EQ(list.workers(0).running(), 1);
  EXPECT_EQ(list.workers(0).slots(), 2);
  EXPECT_THAT(list.workers(0).devices(), ElementsAre("cpu"));
  EXPECT_THAT(list.workers(0).datasets(), ElementsAre("tiny"));
  EXPECT_EQ(list.workers(1).state(), "idle");
  clock_.Advance(absl::Minutes(1));
  ASSERT_OK_AND_ASSIGN(list, ListWorkers());
  EXPECT_EQ(list.workers(0).state(), "lost");
}

TEST_F(WorkerServiceTest, LeasesExpireWithoutAnyWorkerCalling) {
  ASSERT_OK_AND_ASSIGN(const v1::SyncResponse leased, Sync(Hello("alice", 1)));
  ASSERT_THAT(leased.leases(), SizeIs(1));
  v1::JobState state = v1::RUNNING;
  EXPECT_TRUE(WaitUntil(
      "the lease to expire",
      [&] {
        // Less than half a lease between two looks at the leases (any call brings one about); more would be taken for
        // a suspended machine.
        clock_.Advance(absl::Seconds(10));
        if (!ListWorkers().ok()) return false;
        const auto job = GetJob(leased.leases(0).job());
        if (job.ok()) state = job->summary().state();
        return state == v1::PENDING;
      },
      [&] { return v1::JobState_Name(state); }));
}

}  // namespace
}  // namespace gridsweep
