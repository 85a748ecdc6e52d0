// Bundles, from the lease to what becomes of their jobs.
#include "tests/unit/queue/queue_fixture.h"

namespace gridsweep {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// Two groups of three jobs.
constexpr char kGroups[] =
    "name: groups\ndataset: tiny\ntraining: {epochs: 2, validation: 0.1}\nseeds: [1, 2]\n"
    "grid: {model: mlp, scheduler: [none, exponential, {exponential: {gamma: 0.5}}]}\n";

class BundleTest : public QueueTest {
 protected:
  std::vector<int64_t> JobsOf(const SyncOutput& output) {
    std::vector<int64_t> jobs;
    for (const ClaimedJob& job : output.leases) jobs.push_back(job.attempt.job.value);
    return jobs;
  }
};

TEST_F(BundleTest, ABundleTakesOneSlot) {
  Submit(kGroups);
  FakeWorker worker("w");
  const SyncOutput output = Sync(worker);
  EXPECT_THAT(JobsOf(output), ElementsAre(1, 3, 5));
  for (const ClaimedJob& job : output.leases) {
    EXPECT_EQ(job.attempt.bundle, output.leases[0].attempt.attempt.value);
  }
  EXPECT_THAT(Sync(worker).leases, IsEmpty());
  for (const AttemptId attempt : worker.held()) worker.ReportAll(attempt);
  EXPECT_THAT(JobsOf(Sync(worker)), ElementsAre(2, 4, 6));
}

TEST_F(BundleTest, AReofferedLeaseKeepsItsBundleAndItsSlot) {
  Submit(kGroups);
  FakeWorker worker("w");
  worker.slots = 2;
  ASSERT_THAT(Exchange(worker.Request()), IsOk());  // registered, with leases whose answer is lost
  const auto again = Exchange(worker.Request());
  ASSERT_THAT(again, IsOk());
  EXPECT_THAT(JobsOf(*again), ElementsAre(1, 3, 5, 2, 4, 6));
  EXPECT_EQ(again->leases[0].attempt.bundle, again->leases[2].attempt.bundle);
  EXPECT_NE(again->leases[0].attempt.bundle, again->leases[3].attempt.bundle);
  EXPECT_NE(again->leases[0].attempt.bundle, 0);
  EXPECT_EQ(QueryInt("SELECT count(*) FROM v_attempts"), 6);
}

TEST_F(BundleTest, WithoutSharingJobsAreLeasedAlone) {
  options_.share = false;
  Restart();
  Submit(kGroups);
  FakeWorker worker("w");
  const SyncOutput output = Sync(worker);
  EXPECT_THAT(JobsOf(output), ElementsAre(1));
  EXPECT_EQ(output.leases[0].attempt.bundle, 0);
}

TEST_F(BundleTest, GroupsAreSplitOverAllLiveWorkers) {
  Submit(kGroups);
  FakeWorker first("first"), second("second");
  first.slots = second.slots = 2;
  second.datasets = {"other"};
  EXPECT_THAT(Sync(second).leases, IsEmpty());
  EXPECT_THAT(JobsOf(Sync(first)), ElementsAre(1, 3, 5))
      << "6 jobs on 4 slots are 2 a bundle: 1 and 3, then 5";
  EXPECT_EQ(QueryInt("SELECT count(DISTINCT bundle) FROM v_attempts"), 2) << "5 is alone";
}

TEST_F(BundleTest, JobsOfADeadTrainerRunAloneAndTheGuiltyOneFails) {
  options_.retry.max_failures = 2;
  Restart();
  Submit(kGroups);
  FakeWorker worker("w");
  ASSERT_THAT(JobsOf(Sync(worker)), ElementsAre(1, 3, 5));
  AttemptFinished died = Finished(AttemptState::kPreempted, "the trainer died");
  died.retry_alone = true;
  for (const AttemptId attempt : worker.held()) worker.Report(attempt, died);
  const SyncOutput next = Sync(worker);
  EXPECT_THAT(JobsOf(next), ElementsAre(1));
  EXPECT_EQ(next.leases[0].attempt.bundle, 0);
  EXPECT_EQ(Job(1).counters, (RetryCounters{.losses = 0, .failures = 0, .preemptions = 1}));
  worker.Report(worker.held().front(), Finished(AttemptState::kFailed, "boom"));
  EXPECT_THAT(JobsOf(Sync(worker)), ElementsAre(3)) << "the failed one backs off";
  EXPECT_EQ(Job(1).counters.failures, 1);
}

TEST_F(BundleTest, ALostWorkersBundleIsLeasedAsABundleAgain) {
  Submit(kGroups);
  FakeWorker lost("lost"), other("other");
  ASSERT_THAT(JobsOf(Sync(lost)), ElementsAre(1, 3, 5));
  Pass(kLease + absl::Seconds(1));
  EXPECT_EQ(Job(5).counters.losses, 1);
  EXPECT_THAT(JobsOf(Sync(other)), ElementsAre(1, 3, 5));
}

TEST_F(BundleTest, AnExpiredBundleIsRevivedAttemptByAttempt) {
  Submit(kGroups);
  FakeWorker worker("w");
  Sync(worker);
  Pass(kLease + absl::Seconds(1));
  Sync(worker);
  EXPECT_EQ(QueryInt("SELECT count(*) FROM v_attempts WHERE state = 'open' AND bundle > 0"), 3);
  EXPECT_EQ(Job(5).counters.losses, 0);
}

TEST_F(BundleTest, OneJobOfABundleMayDivergeWhileTheOthersGoOn) {
  Submit(kGroups);
  FakeWorker worker("w");
  Sync(worker);
  const std::vector<AttemptId> held = worker.held();
  worker.Report(held[1], Finished(AttemptState::kDiverged, "loss is nan"));
  EXPECT_THAT(Sync(worker).stop, ElementsAre(held[1]));
  EXPECT_EQ(Job(3).state, JobState::kDiverged);
  worker.ReportAll(held[0]);
  worker.ReportAll(held[2]);
  EXPECT_THAT(JobsOf(Sync(worker)), ElementsAre(2, 4, 6));
  EXPECT_EQ(Job(5).state, JobState::kSucceeded);
}

TEST_F(BundleTest, CancelStopsAllOfIt) {
  const SweepId sweep = Submit(kGroups);
  FakeWorker worker("w");
  Sync(worker);
  const std::vector<AttemptId> held = worker.held();
  ASSERT_THAT(queue_->Cancel(sweep, clock_.Now()), IsOk());
  EXPECT_THAT(Sync(worker).stop, testing::UnorderedElementsAreArray(held));
  EXPECT_EQ(State(sweep), SweepState::kCancelled);
}

TEST_F(BundleTest, ARestartKeepsRunningBundles) {
  Submit(kGroups);
  FakeWorker worker("w");
  Sync(worker);
  Restart();
  EXPECT_THAT(Sync(worker).stop, IsEmpty());
  for (const AttemptId attempt : worker.held()) worker.ReportAll(attempt);
  EXPECT_THAT(JobsOf(Sync(worker)), SizeIs(3));
  EXPECT_EQ(QueryInt("SELECT count(*) FROM v_jobs WHERE state = 'succeeded'"), 3);
}

}  // namespace
}  // namespace gridsweep
