// Trainers that crash, hang, or talk nonsense, as real processes below a real worker.
#include <gtest/gtest.h>

#include <csignal>
#include <sstream>

#include "tests/fault/sweeps.h"
#include "tests/support/cluster.h"

namespace gridsweep {
namespace {

Json Rule(const std::string& what, Json more) {
  more["do"] = what;
  return more;
}

// The most memory the process has used, in KiB.
int64_t PeakMemoryKib(pid_t pid) {
  const std::string status = ReadFile("/proc/" + std::to_string(pid) + "/status");
  const size_t at = status.find("VmHWM:");
  int64_t kib = -1;
  if (at != std::string::npos) std::istringstream(status.substr(at + 6)) >> kib;
  return kib;
}

TEST(TrainerFault, AKilledTrainersJobIsRetried) {
  Cluster cluster({.lease_seconds = 3600, .gated = true});
  cluster.StartCoordinator();
  cluster.StartWorker("alice");
  const std::string sweep = cluster.Submit(kFaultJob);
  ASSERT_TRUE(cluster.Await("the job to train", [&] { return cluster.QueryInt(kTrainingSql) == 1; }));
  kill(cluster.TrainerOf("alice"), SIGKILL);
  ASSERT_TRUE(
      cluster.Await("the failure to be counted", [&] { return cluster.QueryInt(kFailuresSql) == 1; }));
  cluster.OpenGate();
  ASSERT_TRUE(cluster.AwaitFinished(sweep));
  cluster.ExpectIntact(sweep);
  EXPECT_EQ(cluster.RankCsv(sweep), FaultFreeCsv(kFaultJob));
  EXPECT_EQ(cluster.QueryInt(kLossesSql), 0);
  EXPECT_EQ(
      cluster.QueryInt("SELECT count(*) FROM v_attempts WHERE state = 'failed' AND error LIKE '%SIGKILL%'"),
      1);
}

TEST(TrainerFault, CrashesWithinTheLimitLeaveNoTrace) {
  Cluster cluster({.lease_seconds = 3600,
                   .fake = {{"rules",
                             {Rule("segv", {{"seed", 1}, {"model", "mlp"}, {"epoch", 2}, {"times", 1}}),
                              Rule("abort", {{"seed", 2}, {"model", "mlp"}, {"epoch", 1}, {"times", 1}}),
                              Rule("exit", {{"seed", 3}, {"model", "mlp"}, {"epoch", 3}, {"times", 1}}),
                              Rule("fail", {{"seed", 1}, {"model", "cnn"}, {"times", 1}}),
                              Rule("garbage", {{"seed", 2}, {"model", "cnn"}})}}}});
  cluster.StartCoordinator();
  cluster.StartWorker("alice");
  const std::string sweep = cluster.Submit(kFaultSweep);
  ASSERT_TRUE(cluster.AwaitFinished(sweep));
  cluster.ExpectIntact(sweep);
  EXPECT_EQ(cluster.RankCsv(sweep), FaultFreeCsv(kFaultSweep));
  EXPECT_EQ(cluster.QueryInt(kFailuresSql), 4);
  EXPECT_EQ(cluster.QueryInt(kAttemptsSql), 16);
  for (const char* error : {"%SIGSEGV%", "%SIGABRT%", "%exit status 3%", "%told to fail%"}) {
    EXPECT_EQ(cluster.QueryInt("SELECT count(*) FROM v_attempts WHERE state = 'failed' AND error LIKE '" +
                               std::string(error) + "'"),
              1)
        << error << cluster.Describe();
  }
  EXPECT_EQ(cluster.QueryInt("SELECT count(*) FROM v_attempts WHERE stderr_tail LIKE '%exits as told%'"), 1);
}

TEST(TrainerFault, AJobThatAlwaysCrashesIsTheOnlyOneToBlame) {
  Cluster cluster(
      {.lease_seconds = 3600, .fake = {{"rules", {Rule("segv", {{"seed", 2}, {"model", "cnn"}})}}}});
  cluster.StartCoordinator();
  cluster.StartWorker("alice", {.flags = {"--slots", "3"}});
  const std::string sweep = cluster.Submit(
      "name: crash\ndataset: tiny\ntraining: {epochs: 1, validation: 0.1}\nseeds: [1, 2, 3]\ngrid: {model: "
      "[mlp, cnn]}\n");
  ASSERT_TRUE(cluster.AwaitFinished(sweep));
  EXPECT_EQ(cluster.QueryInt("SELECT count(*) FROM v_jobs WHERE state = 'succeeded' AND failures = 0"), 5)
      << cluster.Describe();
  EXPECT_EQ(cluster.QueryInt("SELECT count(*) FROM v_jobs WHERE state = 'failed' AND failures = 3"), 1);
  const CommandResult watched = cluster.Cli({"watch", sweep});
  EXPECT_EQ(watched.code, 1) << watched;
  EXPECT_NE(cluster.RankCsv(sweep).find("SIGSEGV"), std::string::npos) << cluster.RankCsv(sweep);
}

TEST(TrainerFault, AHungJobIsKilledAndRetried) {
  Cluster cluster({.lease_seconds = 3600,
                   .fake = {{"rules", {Rule("hang", {{"seed", 1}, {"epoch", 2}, {"times", 1}})}}}});
  cluster.StartCoordinator();
  cluster.StartWorker("alice", {.flags = {"--hang-timeout", "1"}});
  const std::string sweep = cluster.Submit(kFaultJob);
  ASSERT_TRUE(cluster.AwaitFinished(sweep));
  cluster.ExpectIntact(sweep);
  EXPECT_EQ(cluster.RankCsv(sweep), FaultFreeCsv(kFaultJob));
  EXPECT_EQ(
      cluster.QueryInt("SELECT count(*) FROM v_attempts WHERE state = 'failed' AND error LIKE '%hung%'"), 1);
}

TEST(TrainerFault, AFloodOnStderrNeitherStallsNorFillsTheWorker) {
  Cluster cluster({.lease_seconds = 3600,
                   .fake = {{"rules",
                             {Rule("flood", {{"epoch", 2}, {"mib", 64}}),
                              Rule("flood_exit", {{"epoch", 3}, {"mib", 8}, {"times", 1}})}}}});
  cluster.StartCoordinator();
  TestProcess& alice = cluster.StartWorker("alice");
  const std::string sweep = cluster.Submit(kFaultJob);
  ASSERT_TRUE(cluster.AwaitFinished(sweep));
  cluster.ExpectIntact(sweep);
  EXPECT_EQ(cluster.RankCsv(sweep), FaultFreeCsv(kFaultJob));
  EXPECT_EQ(cluster.QueryInt("SELECT count(*) FROM v_attempts WHERE stderr_tail LIKE '%end of flood%' AND "
                             "length(stderr_tail) < 100000"),
            1)
      << cluster.Describe();
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_LT(PeakMemoryKib(alice.pid()), 100 * 1024);
#else
  EXPECT_GT(PeakMemoryKib(alice.pid()), 0);
#endif
}

TEST(TrainerFault, AFloodOfNonsenseOnStdoutFillsNeitherMemoryNorLog) {
  Cluster cluster(
      {.lease_seconds = 3600, .fake = {{"rules", {Rule("flood_stdout", {{"epoch", 2}, {"mib", 64}})}}}});
  cluster.StartCoordinator();
  TestProcess& alice = cluster.StartWorker("alice");
  const std::string sweep = cluster.Submit(kFaultJob);
  ASSERT_TRUE(cluster.AwaitFinished(sweep));
  cluster.ExpectIntact(sweep);
  EXPECT_EQ(cluster.RankCsv(sweep), FaultFreeCsv(kFaultJob));
  EXPECT_NE(alice.Err().find("trainer_nonsense"), std::string::npos);
  EXPECT_LT(alice.Err().size(), 1u << 20) << "a trainer can write for weeks";
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  EXPECT_LT(PeakMemoryKib(alice.pid()), 100 * 1024);
#endif
}

TEST(TrainerFault, TheTrainerIsTheFirstToGoWhenMemoryRunsOut) {
  Cluster cluster({.lease_seconds = 3600, .gated = true});
  cluster.StartCoordinator();
  TestProcess& alice = cluster.StartWorker("alice");
  const std::string sweep = cluster.Submit(kFaultJob);
  ASSERT_TRUE(cluster.Await("the job to train", [&] { return cluster.QueryInt(kTrainingSql) == 1; }));
  const auto inclination = [](pid_t pid) {
    return std::stoi("0" + ReadFile(fmt::format("/proc/{}/oom_score_adj", pid)));
  };
  const pid_t trainer = cluster.TrainerOf("alice");
  EXPECT_GE(inclination(trainer), inclination(alice.pid()) + 500);
  // As the kernel does it.
  kill(trainer, SIGKILL);
  ASSERT_TRUE(
      cluster.Await("the failure to be counted", [&] { return cluster.QueryInt(kFailuresSql) == 1; }));
  EXPECT_EQ(cluster.QueryInt("SELECT count(*) FROM v_attempts WHERE error LIKE '%out of memory?%'"), 1);
  EXPECT_TRUE(alice.IsRunning());
  cluster.OpenGate();
  ASSERT_TRUE(cluster.AwaitFinished(sweep));
  EXPECT_EQ(cluster.RankCsv(sweep), FaultFreeCsv(kFaultJob));
}

}  // namespace
}  // namespace gridsweep
