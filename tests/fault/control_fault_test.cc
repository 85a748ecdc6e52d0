// What users do while things go wrong: they submit twice, kill their commands, pause, resume, cancel and retry.
#include <gtest/gtest.h>

#include <csignal>
#include <random>

#include "tests/fault/sweeps.h"
#include "tests/support/cluster.h"
#include "tests/support/tcp_proxy.h"

namespace gridsweep {
namespace {

TEST(ControlFault, ASubmitThatIsKilledAtAnyTimeAndRepeatedIsOneSweep) {
  Cluster cluster({.lease_seconds = 60});
  cluster.StartCoordinator();
  TcpProxy proxy(cluster.address());
  std::mt19937 random(20261122);
  constexpr int kRounds = 12;
  for (int round = 0; round < kRounds; ++round) {
    const std::string file = fmt::format("sweep-{}.yaml", round);
    WriteFile(
        cluster.dir() / file,
        fmt::format("name: s{}\ndataset: tiny\ntraining: {{epochs: 1}}\nseeds: 2000\ngrid: {{model: mlp}}\n",
                    round));
    const std::vector<std::string> submit = {"submit", file, "--coordinator", proxy.address()};
    {
      const auto killed = cluster.Launch("killed", submit);
      if (round % 2 == 0) {
        // After its request was carried out and before it knows: the answer is lost with it.
        const int lost = proxy.lost();
        proxy.LoseAnswers(1);
        ASSERT_TRUE(cluster.Await("the answer to be lost", [&] { return proxy.lost() > lost; }));
        ASSERT_EQ(cluster.QueryInt("SELECT count(*) FROM v_sweeps"), round + 1) << "or it was another answer";
      } else {
        // At some moment of its short life.
        const int64_t moment = static_cast<int64_t>(random() % 40);
        int64_t looks = 0;
        ASSERT_TRUE(cluster.Await("a moment", [&] { return ++looks > moment || !killed->IsRunning(); }));
      }
      killed->Kill();
    }
    const CommandResult repeated = cluster.Run(submit);
    ASSERT_EQ(repeated.code, 0) << repeated;
    ASSERT_EQ(cluster.QueryInt("SELECT count(*) FROM v_sweeps"), round + 1) << repeated;
  }
  EXPECT_EQ(cluster.QueryInt("SELECT count(*) FROM v_jobs"), kRounds * 2000);
}

TEST(ControlFault, OrdersMayBeRepeatedAndOutlastCrashes) {
  Cluster cluster({.lease_seconds = 60, .gated = true});
  cluster.StartCoordinator();
  cluster.StartWorker("alice", {.flags = {"--slots", "2"}});
  const std::string sweep = cluster.Submit(kFaultSweep);
  for (const int64_t seed : {1, 2, 3}) cluster.LetEpochsEnd(seed, 2);  // of three: no job ends
  const auto order = [&](const std::string& what, int code = 0) {
    const CommandResult result = cluster.Cli({what, sweep});
    EXPECT_EQ(result.code, code) << what << ": " << result;
  };
  ASSERT_TRUE(cluster.Await("progress", [&] { return cluster.QueryInt(kEpochsSql) >= 4; }));
  order("pause");
  order("pause");
  cluster.CrashCoordinator();
  cluster.OpenGate();
  ASSERT_TRUE(cluster.Await("what ran to end", [&] {
    return cluster.QueryInt("SELECT count(*) FROM v_jobs WHERE state = 'running'") == 0;
  }));
  EXPECT_EQ(cluster.QueryInt("SELECT count(*) FROM v_jobs WHERE state = 'pending'"), 10)
      << "paused is paused after a crash";
  cluster.CloseGate();
  order("resume");
  order("resume");
  cluster.worker("alice").Kill();
  cluster.CrashCoordinator();
  cluster.StartWorker("alice", {.flags = {"--slots", "2"}});
  ASSERT_TRUE(cluster.Await("jobs to train again", [&] { return cluster.QueryInt(kTrainingSql) > 0; }));
  order("cancel");
  order("cancel");
  cluster.CrashCoordinator();
  ASSERT_TRUE(cluster.AwaitFinished(sweep));
  EXPECT_EQ(cluster.QueryInt("SELECT count(*) FROM v_attempts WHERE state = 'open'"), 0);
  EXPECT_GT(cluster.QueryInt("SELECT count(*) FROM v_jobs WHERE state = 'cancelled'"), 0);
  order("retry");
  cluster.OpenGate();
  ASSERT_TRUE(cluster.AwaitFinished(sweep));
  cluster.ExpectIntact(sweep);
  EXPECT_EQ(cluster.RankCsv(sweep), FaultFreeCsv(kFaultSweep));
}

TEST(ControlFault, RandomOrdersAmongCrashesLeaveASweepThatCanBeFinished) {
  Cluster cluster({.fake = {{"epoch_ms", 20}}});
  cluster.StartCoordinator();
  cluster.StartWorker("alice", {.flags = {"--slots", "2"}});
  const std::string sweep = cluster.Submit(kFaultSweep);
  std::mt19937 random(20261122);
  for (int i = 0; i < 25; ++i) {
    switch (random() % 7) {
      case 0:
        cluster.Cli({"pause", sweep});
        break;
      case 1:
      case 2:
        cluster.Cli({"resume", sweep});
        break;
      case 3:
        cluster.Cli({"cancel", sweep});
        break;
      case 4:
        cluster.Cli({"retry", sweep});
        break;
      case 5:
        cluster.CrashCoordinator();
        break;
      case 6:
        cluster.worker("alice").Signal(SIGTERM);
        cluster.worker("alice").Wait();
        cluster.StartWorker("alice", {.flags = {"--slots", "2"}});
        break;
    }
  }
  cluster.Cli({"resume", sweep});
  ASSERT_TRUE(cluster.Await("the rest", [&] {
    if (cluster.QueryInt("SELECT pending + running FROM v_sweeps") > 0) return false;
    if (cluster.QueryInt("SELECT cancelled FROM v_sweeps") == 0) return true;
    cluster.Cli({"retry", sweep});
    return false;
  }));
  cluster.ExpectIntact(sweep);
  EXPECT_EQ(cluster.RankCsv(sweep), FaultFreeCsv(kFaultSweep));
}

TEST(ControlFault, SigtermUnderLoadLosesNothingThatWasAcknowledged) {
  Cluster cluster({.lease_seconds = 60, .fake = {{"epoch_ms", 5}}});
  cluster.StartCoordinator();
  cluster.StartWorker("alice", {.flags = {"--slots", "8"}});
  cluster.StartWorker("bob", {.flags = {"--slots", "8"}});
  const std::string sweep = cluster.Submit(kFaultSweep);
  for (int round = 0; round < 3; ++round) {
    // Submits and a watcher, whose calls are under way when the signal comes.
    std::vector<std::unique_ptr<TestProcess>> commands;
    commands.push_back(
        cluster.Launch(fmt::format("watch-{}", round), {"watch", sweep, "--coordinator", cluster.address()}));
    for (int i = 0; i < 4; ++i) {
      const std::string name = fmt::format("late-{}-{}", round, i);
      WriteFile(cluster.dir() / (name + ".yaml"),
                fmt::format(
                    "name: {}\ndataset: absent\ntraining: {{epochs: 1}}\nseeds: 3000\ngrid: {{model: mlp}}\n",
                    name));
      commands.push_back(
          cluster.Launch(name, {"submit", name + ".yaml", "--coordinator", cluster.address()}));
    }
    ASSERT_TRUE(cluster.Await("a submit to be answered", [&] {
      return std::any_of(commands.begin() + 1, commands.end(),
                         [](auto& command) { return !command->Out().empty(); });
    }));
    cluster.coordinator().Signal(SIGTERM);
    ASSERT_EQ(cluster.coordinator().Wait(std::chrono::seconds(20)), 0) << cluster.Describe();
    EXPECT_EQ(std::filesystem::file_size(cluster.db() + "-wal"), 0u) << "the log is in the database";
    for (auto command = commands.begin() + 1; command != commands.end(); ++command) {
      (*command)->Wait();
      const std::string id = (*command)->Out();
      if (id.empty()) continue;  // not acknowledged: may be there or not
      EXPECT_EQ(cluster.QueryInt("SELECT count(*) FROM v_jobs WHERE sweep = " + id), 3000)
          << (*command)->Describe();
    }
    commands.front()->Kill();
    cluster.StartCoordinator();
  }
  ASSERT_TRUE(cluster.AwaitFinished(sweep));
  cluster.ExpectIntact(sweep);
  EXPECT_EQ(cluster.RankCsv(sweep), FaultFreeCsv(kFaultSweep));
  EXPECT_EQ(cluster.QueryInt(kAttemptsSql), 12);
}

}  // namespace
}  // namespace gridsweep
