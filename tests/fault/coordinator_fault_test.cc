// The coordinator is killed, stopped and started again while workers train; answers of its get lost.
#include <gtest/gtest.h>

#include <csignal>
#include <random>

#include "tests/fault/sweeps.h"
#include "tests/support/cluster.h"
#include "tests/support/tcp_proxy.h"

namespace gridsweep {
namespace {

void ExpectUndisturbed(Cluster& cluster, const std::string& sweep) {
  ASSERT_TRUE(cluster.AwaitFinished(sweep));
  cluster.ExpectIntact(sweep);
  EXPECT_EQ(cluster.RankCsv(sweep), FaultFreeCsv(kFaultSweep));
  EXPECT_EQ(cluster.QueryInt(kLossesSql), 0);
  EXPECT_EQ(cluster.QueryInt(kFailuresSql), 0);
}

TEST(CoordinatorFault, KilledAgainAndAgainItLosesNothing) {
  Cluster cluster({.lease_seconds = 60, .fake = {{"epoch_ms", 30}}});
  cluster.StartCoordinator();
  cluster.StartWorker("alice", {.flags = {"--slots", "2"}});
  cluster.StartWorker("bob", {.flags = {"--slots", "2"}});
  const std::string sweep = cluster.Submit(kFaultSweep);
  std::mt19937 random(20261122);
  for (int64_t epochs = 0; epochs < 30; epochs += 3 + static_cast<int64_t>(random() % 6)) {
    ASSERT_TRUE(cluster.Await("progress", [&] { return cluster.QueryInt(kEpochsSql) >= epochs; }));
    cluster.CrashCoordinator();
  }
  ExpectUndisturbed(cluster, sweep);
}

TEST(CoordinatorFault, WorkersTrainOnWhileItIsAway) {
  Cluster cluster({.lease_seconds = 60, .gated = true});
  cluster.StartCoordinator();
  TestProcess& alice = cluster.StartWorker("alice", {.flags = {"--slots", "4"}});
  const std::string sweep = cluster.Submit(kFaultSweep);
  ASSERT_TRUE(cluster.Await("four jobs to train", [&] { return cluster.QueryInt(kTrainingSql) == 4; }));
  cluster.coordinator().Kill();
  cluster.OpenGate();
  ASSERT_TRUE(cluster.AwaitLog(alice, "attempt_finished", 4)) << "without a coordinator";
  cluster.StartCoordinator();
  ExpectUndisturbed(cluster, sweep);
  EXPECT_EQ(cluster.QueryInt("SELECT count(*) FROM v_attempts WHERE accepted AND number = 1"), 12)
      << "no job was trained twice";
}

TEST(CoordinatorFault, SigtermIsACleanStopAndWorkersOutlastIt) {
  Cluster cluster({.lease_seconds = 60, .fake = {{"epoch_ms", 30}}});
  cluster.StartCoordinator();
  cluster.StartWorker("alice", {.flags = {"--slots", "2"}});
  const std::string sweep = cluster.Submit(kFaultSweep);
  ASSERT_TRUE(cluster.Await("progress", [&] { return cluster.QueryInt(kEpochsSql) >= 5; }));
  cluster.coordinator().Signal(SIGTERM);
  EXPECT_EQ(cluster.coordinator().Wait(), 0) << cluster.Describe();
  cluster.StartCoordinator();
  ExpectUndisturbed(cluster, sweep);
}

TEST(CoordinatorFault, DyingBetweenCommitAndAnswerItRepeatsNothing) {
  Cluster cluster({.lease_seconds = 60, .fake = {{"epoch_ms", 80}}});
  cluster.StartCoordinator();
  TcpProxy proxy(cluster.address());
  cluster.StartWorker("alice", {.flags = {"--slots", "2"}, .coordinator = proxy.address()});
  const std::string sweep = cluster.Submit(kFaultSweep);
  for (int crash = 1; crash <= 5; ++crash) {
    const int64_t epochs = cluster.QueryInt(kEpochsSql);
    ASSERT_TRUE(cluster.Await("progress", [&] { return cluster.QueryInt(kEpochsSql) > epochs; }));
    // The answer was on its way, so what it says is committed; nobody gets it, and its sender is gone.
    proxy.LoseAnswers(1);
    ASSERT_TRUE(cluster.Await("an answer to be lost", [&] { return proxy.lost() == crash; }));
    cluster.CrashCoordinator();
  }
  ExpectUndisturbed(cluster, sweep);
  EXPECT_EQ(cluster.QueryInt("SELECT sum(epochs) FROM v_attempts"), 36) << "no epoch is stored twice";
  // Leases that were on their way were taken back, and cost nothing.
  EXPECT_EQ(cluster.QueryInt("SELECT count(*) FROM v_attempts WHERE NOT accepted AND (epochs > 0 OR state <> "
                             "'preempted')"),
            0)
      << cluster.Describe();
}

TEST(CoordinatorFault, StoppedForLongerThanTheLeaseItExpiresNone) {
  Cluster cluster({.lease_seconds = 1, .fake = {{"epoch_ms", 500}}});
  cluster.StartCoordinator();
  TestProcess& alice = cluster.StartWorker("alice", {.flags = {"--slots", "12"}});
  const std::string sweep = cluster.Submit(kFaultSweep);
  ASSERT_TRUE(cluster.Await("all jobs to train", [&] { return cluster.QueryInt(kTrainingSql) == 12; }));
  cluster.coordinator().Signal(SIGSTOP);
  // Three epochs: longer than the lease.
  ASSERT_TRUE(cluster.AwaitLog(alice, "attempt_finished", 12));
  cluster.coordinator().Signal(SIGCONT);
  ExpectUndisturbed(cluster, sweep);
  EXPECT_EQ(cluster.QueryInt(kAttemptsSql), 12);
}

TEST(CoordinatorFault, LostAnswersCostNothing) {
  Cluster cluster({.lease_seconds = 60, .fake = {{"epoch_ms", 20}}});
  cluster.StartCoordinator();
  TcpProxy proxy(cluster.address());
  proxy.LoseAnswers(1);  // to the registration
  const WorkerSetup through_proxy{.flags = {"--slots", "2"}, .coordinator = proxy.address()};
  cluster.StartWorker("alice", through_proxy);
  ASSERT_TRUE(cluster.Await("the registration's answer to be lost", [&] { return proxy.lost() == 1; }));
  proxy.LoseAnswers(1);  // to the first lease, or to the request before it
  const std::string sweep = cluster.Submit(kFaultSweep);
  for (int lost = 2; lost <= 6; ++lost) {
    ASSERT_TRUE(cluster.Await("an answer to be lost", [&] { return proxy.lost() == lost; }));
    const int64_t epochs = cluster.QueryInt(kEpochsSql);
    ASSERT_TRUE(cluster.Await("progress", [&] { return cluster.QueryInt(kEpochsSql) > epochs; }));
    proxy.LoseAnswers(1);
  }
  ExpectUndisturbed(cluster, sweep);
  EXPECT_EQ(cluster.QueryInt(kAttemptsSql), 12) << "an answer that was lost leased no second job";
  EXPECT_EQ(cluster.QueryInt("SELECT sum(epochs) FROM v_attempts"), 36) << "and no report was stored twice";
}

}  // namespace
}  // namespace gridsweep
