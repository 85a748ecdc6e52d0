// Workers that are killed, paused, replaced and told to stop, as real processes.
#include <gtest/gtest.h>

#include <csignal>

#include "tests/fault/sweeps.h"
#include "tests/support/cluster.h"

namespace gridsweep {
namespace {

// The sweep is over and nothing of what happened shows in its table.
void ExpectUndisturbed(Cluster& cluster, const std::string& sweep, const std::string& yaml) {
  ASSERT_TRUE(cluster.AwaitFinished(sweep));
  cluster.ExpectIntact(sweep);
  EXPECT_EQ(cluster.RankCsv(sweep), FaultFreeCsv(yaml));
}

TEST(WorkerFault, AKilledWorkersJobIsGivenToAnother) {
  Cluster cluster({.gated = true});
  cluster.StartCoordinator();
  TestProcess& alice = cluster.StartWorker("alice");
  const std::string sweep = cluster.Submit(kFaultJob);
  ASSERT_TRUE(cluster.Await("the job to train", [&] { return cluster.QueryInt(kTrainingSql) == 1; }));
  const pid_t trainer = cluster.TrainerOf("alice");
  alice.Kill();
  EXPECT_TRUE(cluster.Await("the orphaned trainer to end", [&] { return !IsAlive(trainer); }));
  cluster.StartWorker("bob");
  cluster.OpenGate();
  ExpectUndisturbed(cluster, sweep, kFaultJob);
  EXPECT_EQ(cluster.QueryInt(kLossesSql), 1);
  EXPECT_EQ(cluster.QueryInt(kFailuresSql), 0);
}

TEST(WorkerFault, AWorkerRestartedUnderItsNameDoesNotWaitForItsOwnLease) {
  Cluster cluster({.lease_seconds = 3600, .gated = true});
  cluster.StartCoordinator();
  cluster.StartWorker("alice");
  const std::string sweep = cluster.Submit(kFaultJob);
  ASSERT_TRUE(cluster.Await("the job to train", [&] { return cluster.QueryInt(kTrainingSql) == 1; }));
  cluster.worker("alice").Kill();
  cluster.StartWorker("alice");
  cluster.OpenGate();
  ExpectUndisturbed(cluster, sweep, kFaultJob);
  EXPECT_EQ(cluster.QueryInt(kLossesSql), 1);
}

TEST(WorkerFault, AnOlderWorkerOfTheSameNameGivesWay) {
  Cluster cluster({.lease_seconds = 3600, .gated = true});
  cluster.StartCoordinator();
  TestProcess& alice = cluster.StartWorker("alice");
  const std::string sweep = cluster.Submit(kFaultJob);
  ASSERT_TRUE(cluster.Await("the job to train", [&] { return cluster.QueryInt(kTrainingSql) == 1; }));
  TestProcess& usurper = cluster.StartWorker("usurper", {.registers_as = "alice"});
  EXPECT_EQ(alice.Wait(), 1) << alice.Describe();
  EXPECT_NE(alice.Err().find("worker_refused"), std::string::npos) << alice.Err();
  EXPECT_TRUE(usurper.IsRunning());
}

TEST(WorkerFault, AZombiesWritesAreRefusedAndTheNewAttemptIsUntouched) {
  Cluster cluster({.gated = true});
  cluster.StartCoordinator();
  TestProcess& alice = cluster.StartWorker("alice");
  const std::string sweep = cluster.Submit(kFaultJob);
  ASSERT_TRUE(cluster.Await("the job to train", [&] { return cluster.QueryInt(kTrainingSql) == 1; }));
  alice.Signal(SIGSTOP);
  cluster.StartWorker("bob");
  ASSERT_TRUE(cluster.Await("bob to train the job", [&] {
    return cluster.QueryInt(
               "SELECT count(*) FROM v_attempts WHERE state = 'open' AND device <> '' AND worker = 'bob'") ==
           1;
  }));
  // Only alice's trainer gets past the first epoch: she comes back with news for a job that is no longer hers.
  const std::string newer =
      "SELECT state = 'open' AND epochs = 0 FROM v_attempts WHERE worker = 'bob' ORDER BY attempt DESC LIMIT "
      "1";
  alice.Signal(SIGCONT);
  ASSERT_TRUE(cluster.AwaitLog(alice, "attempt_stopped"));
  EXPECT_EQ(cluster.QueryInt(newer), 1) << cluster.Describe();
  cluster.OpenGate();
  ExpectUndisturbed(cluster, sweep, kFaultJob);
  EXPECT_EQ(cluster.QueryInt(
                "SELECT count(*) FROM v_attempts WHERE worker = 'alice' AND state = 'lost' AND epochs = 0"),
            1);
  EXPECT_EQ(cluster.QueryInt("SELECT count(*) FROM v_attempts WHERE worker = 'bob' AND accepted"), 1);
}

TEST(WorkerFault, AZombieWithAFinishedJobIsTooLate) {
  Cluster cluster({.gated = true});
  cluster.StartCoordinator();
  TestProcess& alice = cluster.StartWorker("alice");
  const std::string sweep = cluster.Submit(kFaultJob);
  ASSERT_TRUE(cluster.Await("the job to train", [&] { return cluster.QueryInt(kTrainingSql) == 1; }));
  alice.Signal(SIGSTOP);  // her trainer runs on and finishes
  cluster.OpenGate();
  cluster.StartWorker("bob");
  ASSERT_TRUE(cluster.AwaitFinished(sweep));
  alice.Signal(SIGCONT);
  // Either her report arrives, or she hears that the job is no longer hers before she has read its end.
  ASSERT_TRUE(cluster.Await("the zombie to be dealt with", [&] {
    return alice.Err().find("attempt_stopped") != std::string::npos ||
           cluster.coordinator().Err().find("attempt_reported attempt=1 worker=alice") != std::string::npos;
  }));
  ExpectUndisturbed(cluster, sweep, kFaultJob);
  EXPECT_EQ(cluster.QueryInt("SELECT count(*) FROM v_attempts WHERE worker = 'bob' AND accepted"), 1);
  EXPECT_EQ(cluster.QueryInt("SELECT sum(epochs) FROM v_attempts WHERE worker = 'alice'"), 0);
}

TEST(WorkerFault, AnExpiredLeaseThatNobodyTookIsRevived) {
  Cluster cluster({.gated = true});
  cluster.StartCoordinator();
  TestProcess& alice = cluster.StartWorker("alice");
  const std::string sweep = cluster.Submit(kFaultJob);
  ASSERT_TRUE(cluster.Await("the job to train", [&] { return cluster.QueryInt(kTrainingSql) == 1; }));
  alice.Signal(SIGSTOP);
  ASSERT_TRUE(cluster.Await("the lease to expire", [&] { return cluster.QueryInt(kLossesSql) == 1; }));
  alice.Signal(SIGCONT);
  ASSERT_TRUE(cluster.Await("the lease to be revived", [&] { return cluster.QueryInt(kTrainingSql) == 1; }));
  cluster.OpenGate();
  ExpectUndisturbed(cluster, sweep, kFaultJob);
  EXPECT_EQ(cluster.QueryInt(kAttemptsSql), 1);
  EXPECT_EQ(cluster.QueryInt(kLossesSql), 0);
}

TEST(WorkerFault, SigtermHandsTheJobBackAndNothingIsCounted) {
  Cluster cluster({.lease_seconds = 3600, .gated = true});
  cluster.StartCoordinator();
  TestProcess& alice = cluster.StartWorker("alice");
  const std::string sweep = cluster.Submit(kFaultJob);
  ASSERT_TRUE(cluster.Await("the job to train", [&] { return cluster.QueryInt(kTrainingSql) == 1; }));
  const pid_t trainer = cluster.TrainerOf("alice");
  alice.Signal(SIGTERM);
  EXPECT_EQ(alice.Wait(), 0) << alice.Describe();
  EXPECT_FALSE(IsAlive(trainer));
  EXPECT_EQ(cluster.QueryInt("SELECT left_us IS NOT NULL FROM v_workers WHERE name = 'alice'"), 1);
  EXPECT_EQ(cluster.QueryInt("SELECT state = 'pending' AND preemptions = 1 FROM v_jobs"), 1)
      << cluster.Describe();
  cluster.StartWorker("bob");
  cluster.OpenGate();
  ExpectUndisturbed(cluster, sweep, kFaultJob);
  EXPECT_EQ(cluster.QueryInt(kLossesSql), 0);
  EXPECT_EQ(cluster.QueryInt(kFailuresSql), 0);
  EXPECT_EQ(cluster.QueryInt(kPreemptionsSql), 1);
}

TEST(WorkerFault, AJobThatKillsItsWorkersFailsAndTheOthersFinish) {
  Cluster cluster(
      {.lease_seconds = 3600,
       .fake = {{"rules", {{{"do", "kill_worker"}, {"seed", 2}, {"model", "cnn"}, {"epoch", 1}}}}}});
  cluster.StartCoordinator();
  const std::string sweep = cluster.Submit(
      "name: poison\ndataset: tiny\ntraining: {epochs: 2, validation: 0.1}\nseeds: [1, 2, 3]\ngrid: {model: [mlp, "
      "cnn]}\n");
  // As a service manager does it: whoever dies is started again.
  int starts = 0;
  ASSERT_TRUE(WaitUntil(
      "the sweep to finish",
      [&] {
        for (const char* name : {"alice", "bob"}) {
          if (starts >= 2 && cluster.worker(name).IsRunning()) continue;
          cluster.StartWorker(name);
          ++starts;
        }
        return cluster.QueryInt("SELECT pending + running FROM v_sweeps") == 0;
      },
      [&] { return cluster.Describe(); }));
  EXPECT_EQ(cluster.QueryInt("SELECT count(*) FROM v_jobs WHERE state = 'succeeded' AND losses = 0"), 5)
      << cluster.Describe();
  EXPECT_EQ(cluster.QueryInt(
                "SELECT count(*) FROM v_jobs WHERE state = 'failed' AND seed = 2 AND model LIKE 'cnn%' AND "
                "losses = 5 AND failures = 0"),
            1)
      << cluster.Describe();
  EXPECT_EQ(cluster.QueryInt("SELECT count(*) FROM v_attempts WHERE state = 'lost'"), 5);
}

TEST(WorkerFault, ASweepSurvivesItsWorkers) {
  Cluster cluster({.fake = {{"epoch_ms", 40}}});
  cluster.StartCoordinator();
  cluster.StartWorker("alice", {.flags = {"--slots", "2"}});
  cluster.StartWorker("bob", {.flags = {"--slots", "2"}});
  const std::string sweep = cluster.Submit(kFaultSweep);
  for (const auto& [epochs, name] : {std::pair{4, "alice"}, {12, "bob"}, {20, "alice"}}) {
    ASSERT_TRUE(cluster.Await("progress", [&] { return cluster.QueryInt(kEpochsSql) >= epochs; }));
    cluster.worker(name).Kill();
    cluster.StartWorker(name, {.flags = {"--slots", "2"}});
  }
  ExpectUndisturbed(cluster, sweep, kFaultSweep);
  EXPECT_EQ(cluster.QueryInt(kFailuresSql), 0);
}

}  // namespace
}  // namespace gridsweep
