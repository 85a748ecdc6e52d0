// Jobs that share epochs, when something happens to the trainer, the worker or the coordinator in the middle of a bundle.
#include <gtest/gtest.h>

#include <csignal>

#include "tests/fault/sweeps.h"
#include "tests/support/cluster.h"

namespace gridsweep {
namespace {

// 8 groups of 5 jobs of 5 epochs.
constexpr char kShared[] = R"(name: shared
dataset: tiny
training: {epochs: 5, validation: 0.1}
seeds: [1, 2]
grid:
  model: [mlp, cnn]
  activation: [relu, tanh]
  scheduler: [none, { step: { step_size: 2 } }, { plateau: { patience: 0 } }, exponential, cosine]
)";

constexpr char kSharedSql[] = "SELECT count(*) FROM v_epochs WHERE shared_by > 1";

// What an undisturbed coordinator that shares nothing says.
const std::string& UnsharedCsv() {
  static const std::string csv = [] {
    Cluster cluster({.lease_seconds = 3600, .coordinator_flags = {"--no-share"}});
    cluster.StartCoordinator();
    cluster.StartWorker("alice", {.flags = {"--slots", "2"}});
    const std::string sweep = cluster.Submit(kShared);
    EXPECT_TRUE(cluster.AwaitFinished(sweep));
    cluster.ExpectIntact(sweep);
    EXPECT_EQ(cluster.QueryInt(kSharedSql), 0);
    EXPECT_EQ(cluster.QueryInt("SELECT count(*) FROM v_attempts WHERE bundle > 0"), 0);
    return cluster.RankCsv(sweep);
  }();
  return csv;
}

TEST(BundleFault, SharingChangesNoNumber) {
  Cluster cluster({.lease_seconds = 3600});
  cluster.StartCoordinator();
  cluster.StartWorker("alice", {.flags = {"--slots", "2"}});
  const std::string sweep = cluster.Submit(kShared);
  ASSERT_TRUE(cluster.AwaitFinished(sweep));
  cluster.ExpectIntact(sweep);
  EXPECT_EQ(cluster.RankCsv(sweep), UnsharedCsv());
  EXPECT_EQ(cluster.QueryInt(kAttemptsSql), 40);
  // All but the last group's jobs share their first epoch at least; that one may be split, so that no slot idles.
  EXPECT_GE(cluster.QueryInt(kSharedSql), 35);
  EXPECT_LE(cluster.QueryInt("SELECT count(*) FROM v_jobs WHERE shared_epochs = 0"), 5);
}

TEST(BundleFault, ATrainerKilledInMidBundleLosesNoJob) {
  Cluster cluster({.lease_seconds = 3600, .gated = true});
  cluster.StartCoordinator();
  cluster.StartWorker("alice", {.flags = {"--slots", "2"}});
  const std::string sweep = cluster.Submit(kShared);
  ASSERT_TRUE(cluster.Await("two bundles to train", [&] { return cluster.QueryInt(kTrainingSql) == 10; }));
  kill(cluster.TrainerOf("alice"), SIGKILL);
  ASSERT_TRUE(
      cluster.Await("all to be handed back", [&] { return cluster.QueryInt(kPreemptionsSql) == 10; }));
  cluster.OpenGate();
  ASSERT_TRUE(cluster.AwaitFinished(sweep));
  cluster.ExpectIntact(sweep);
  EXPECT_EQ(cluster.RankCsv(sweep), UnsharedCsv());
  EXPECT_EQ(cluster.QueryInt(kFailuresSql), 0);
  EXPECT_EQ(cluster.QueryInt(kLossesSql), 0);
  EXPECT_EQ(cluster.QueryInt("SELECT count(*) FROM v_attempts WHERE number = 2 AND bundle > 0"), 0)
      << "those that were there are retried alone";
  EXPECT_GT(cluster.QueryInt("SELECT count(*) FROM v_attempts WHERE number = 1 AND accepted AND bundle > 0"),
            0);
}

TEST(BundleFault, AJobThatAlwaysCrashesIsFoundAmongItsBundle) {
  Cluster cluster(
      {.lease_seconds = 3600,
       .fake = {{"rules",
                 {{{"do", "segv"}, {"seed", 2}, {"model", "cnn"}, {"scheduler", "step"}, {"epoch", 4}}}}}});
  cluster.StartCoordinator();
  cluster.StartWorker("alice");
  const std::string sweep = cluster.Submit(kShared);
  ASSERT_TRUE(cluster.AwaitFinished(sweep));
  EXPECT_EQ(cluster.QueryInt("SELECT count(*) FROM v_jobs WHERE state = 'failed' AND failures = 3"), 2)
      << "relu and tanh" << cluster.Describe();
  EXPECT_EQ(cluster.QueryInt("SELECT count(*) FROM v_jobs WHERE state = 'succeeded' AND failures = 0"), 38);
  EXPECT_EQ(cluster.QueryInt("SELECT count(*) FROM v_jobs WHERE state = 'failed' AND scheduler LIKE 'step%'"),
            2);
}

TEST(BundleFault, AHangInABundleIsFoundOut) {
  Cluster cluster({.lease_seconds = 3600,
                   .fake = {{"rules",
                             {{{"do", "hang"},
                               {"seed", 1},
                               {"model", "mlp"},
                               {"scheduler", "none"},
                               {"epoch", 3},
                               {"times", 2}}}}}});
  cluster.StartCoordinator();
  cluster.StartWorker("alice", {.flags = {"--hang-timeout", "1"}});
  const std::string sweep = cluster.Submit(kShared);
  ASSERT_TRUE(cluster.AwaitFinished(sweep));
  cluster.ExpectIntact(sweep);
  EXPECT_EQ(cluster.RankCsv(sweep), UnsharedCsv());
  EXPECT_LE(cluster.QueryInt(kFailuresSql), 2);
  EXPECT_EQ(cluster.QueryInt("SELECT count(*) FROM v_attempts WHERE state = 'failed' AND bundle > 0"), 0)
      << "nobody is blamed in a bundle" << cluster.Describe();
}

TEST(BundleFault, AWorkerKilledInMidBundleLosesNoJob) {
  Cluster cluster({.lease_seconds = 1, .gated = true});
  cluster.StartCoordinator();
  cluster.StartWorker("alice");
  const std::string sweep = cluster.Submit(kShared);
  ASSERT_TRUE(cluster.Await("a bundle to train", [&] { return cluster.QueryInt(kTrainingSql) == 5; }));
  cluster.worker("alice").Kill();
  cluster.StartWorker("bob");
  cluster.OpenGate();
  ASSERT_TRUE(cluster.AwaitFinished(sweep));
  cluster.ExpectIntact(sweep);
  EXPECT_EQ(cluster.RankCsv(sweep), UnsharedCsv());
  EXPECT_EQ(cluster.QueryInt(kLossesSql), 5);
  EXPECT_EQ(cluster.QueryInt(kFailuresSql), 0);
}

TEST(BundleFault, ACoordinatorThatCrashesFindsItsBundlesStillRunning) {
  Cluster cluster({.lease_seconds = 3600, .gated = true});
  cluster.StartCoordinator();
  cluster.StartWorker("alice", {.flags = {"--slots", "2"}});
  const std::string sweep = cluster.Submit(kShared);
  ASSERT_TRUE(cluster.Await("two bundles to train", [&] { return cluster.QueryInt(kTrainingSql) == 10; }));
  cluster.CrashCoordinator();
  cluster.OpenGate();
  ASSERT_TRUE(cluster.AwaitFinished(sweep));
  cluster.ExpectIntact(sweep);
  EXPECT_EQ(cluster.RankCsv(sweep), UnsharedCsv());
  EXPECT_EQ(cluster.QueryInt(kAttemptsSql), 40) << "no job ran twice";
}

}  // namespace
}  // namespace gridsweep
