// A coordinator, two workers, and every command that speaks to them.
#include "tests/support/cluster.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "tests/e2e/small_sweep.h"

namespace gridsweep {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;

class ClusterTest : public testing::Test {
 protected:
  ClusterTest() : cluster_({.lease_seconds = 30, .gated = true}) {
    cluster_.StartCoordinator();
    cluster_.StartWorker("alice");
    cluster_.StartWorker("bob");
  }

  // The one JSON document a listing prints.
  Json JsonOf(std::vector<std::string> args) {
    args.insert(args.end(), {"--format", "json"});
    const CommandResult result = cluster_.Cli(args);
    EXPECT_EQ(result.code, 0) << result;
    const auto json = ParseJson(result.out);
    EXPECT_TRUE(json.ok()) << result;
    return json.ok() ? *json : Json();
  }
  testing::AssertionResult AwaitRunning(int jobs) {
    return cluster_.Await(
        "jobs to run", [&, jobs] { return cluster_.QueryInt("SELECT sum(running) FROM v_sweeps") == jobs; });
  }

  Cluster cluster_;
};

TEST_F(ClusterTest, AWorkerWithABrokenCopyOfTheDataCostsNothing) {
  WriteFile(cluster_.dir() / "broken/tiny-broken", "");
  cluster_.StartWorker("carol", {.flags = {"--data-dir", cluster_.dir() / "broken"}});
  const std::string sweep = cluster_.Submit(kSmallSweep);
  ASSERT_TRUE(cluster_.AwaitLog(cluster_.worker("carol"), "dataset_unusable"));
  cluster_.OpenGate();
  ASSERT_TRUE(cluster_.AwaitFinished(sweep));
  cluster_.ExpectIntact(sweep);
  EXPECT_EQ(cluster_.QueryInt("SELECT count(*) FROM v_attempts WHERE worker = 'carol'"), 1);
  EXPECT_EQ(cluster_.RankCsv(sweep), FaultFreeCsv(kSmallSweep));
}

TEST_F(ClusterTest, ASweepFromSubmitToTable) {
  const std::string sweep = cluster_.Submit(kSmallSweep);
  EXPECT_EQ(cluster_.Submit(kSmallSweep), sweep) << "the same file is the same sweep";
  ASSERT_TRUE(AwaitRunning(2));

  const Json workers = JsonOf({"workers"});
  EXPECT_EQ(workers.size(), 2u) << workers;
  EXPECT_THAT(workers.dump(), HasSubstr("alice"));
  EXPECT_THAT(workers.dump(), HasSubstr("working"));
  EXPECT_THAT(JsonOf({"list"}).dump(), HasSubstr("small"));
  EXPECT_EQ(JsonOf({"show", "small"}).size(), 8u);
  EXPECT_EQ(JsonOf({"show", "small", "--state", "running"}).size(), 2u);
  EXPECT_EQ(JsonOf({"show", "small", "--top", "3"}).size(), 3u);
  EXPECT_EQ(JsonOf({"show", "small", "--top", "0"}).size(), 8u);

  const auto watch = cluster_.Launch("watch", {"watch", "small", "--coordinator", cluster_.address()});
  EXPECT_TRUE(watch->IsRunning());
  cluster_.OpenGate();
  EXPECT_EQ(watch->Wait(), 0) << watch->Describe();

  EXPECT_EQ(cluster_.RankCsv("small"), FaultFreeCsv(kSmallSweep));
  EXPECT_EQ(cluster_.RankCsv(sweep), FaultFreeCsv(kSmallSweep));
  const CommandResult table = cluster_.Cli({"rank", "small", "--top", "1"});
  EXPECT_EQ(table.code, 0) << table;
  EXPECT_THAT(table.out, ContainsRegex("rank.*model"));
  EXPECT_EQ(JsonOf({"rank", "small"})["rows"].size(), 4u);
  EXPECT_THAT(cluster_.Cli({"rank", "small", "--by", "model", "--format", "markdown"}).out,
              HasSubstr("| mlp"));
  EXPECT_EQ(cluster_.Cli({"rank", "small", "--by", "colour"}).code, 2);

  const CommandResult job = cluster_.Cli({"show", "1"});
  EXPECT_EQ(job.code, 0) << job;
  EXPECT_THAT(job.out, HasSubstr("mlp"));
  EXPECT_EQ(cluster_.Cli({"sql", "SELECT count(*) AS jobs FROM v_jobs", "--format", "tsv"}).out, "jobs\n8\n");
  EXPECT_EQ(cluster_.Cli({"sql", "DELETE FROM jobs"}).code, 2);
  EXPECT_EQ(cluster_.Cli({"sql", "SELECT x'00ff' AS b, CAST(x'61ff' AS TEXT) AS t", "--format", "tsv"}).out,
            "b\tt\nx'00ff'\ta\uFFFD\n");
  const CommandResult cut = cluster_.Cli(
      {"sql", "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100001) SELECT i FROM n",
       "--format", "tsv"});
  EXPECT_EQ(cut.code, 2) << "a part must not be taken for the whole";
  EXPECT_TRUE(cut.out.ends_with("\n99999\n100000\n"));
  EXPECT_THAT(cut.err, HasSubstr("only its first 100,000 rows are printed"));
  cluster_.ExpectIntact(sweep);
}

TEST_F(ClusterTest, SweepsAreSteered) {
  const std::string sweep = cluster_.Submit(kSmallSweep);
  ASSERT_TRUE(AwaitRunning(2));
  EXPECT_EQ(cluster_.Cli({"pause", "small"}).code, 0);
  EXPECT_EQ(cluster_.QueryInt("SELECT state = 'paused' AND running = 2 FROM v_sweeps"), 1);
  EXPECT_EQ(cluster_.Cli({"cancel", "small"}).code, 0);
  EXPECT_EQ(cluster_.QueryInt("SELECT cancelled FROM v_sweeps"), 8);
  for (const char* worker : {"alice", "bob"}) {
    EXPECT_TRUE(cluster_.AwaitLog(cluster_.worker(worker), "attempt_stopped"));
  }
  const CommandResult resumed = cluster_.Cli({"resume", "small"});
  EXPECT_EQ(resumed.code, 2) << resumed;
  EXPECT_THAT(resumed.err, HasSubstr("cancelled"));
  EXPECT_EQ(cluster_.Cli({"retry", "small"}).code, 0);
  cluster_.OpenGate();
  ASSERT_TRUE(cluster_.AwaitFinished(sweep));
  cluster_.ExpectIntact(sweep);
  EXPECT_EQ(cluster_.RankCsv("small"), FaultFreeCsv(kSmallSweep));
}

TEST_F(ClusterTest, APausedSweepGoesOnWhenResumed) {
  const std::string sweep = cluster_.Submit(kSmallSweep);
  ASSERT_TRUE(AwaitRunning(2));
  EXPECT_EQ(cluster_.Cli({"pause", "small"}).code, 0);
  cluster_.OpenGate();
  ASSERT_TRUE(cluster_.Await("the running jobs to finish",
                             [&] { return cluster_.QueryInt("SELECT succeeded FROM v_sweeps") == 2; }));
  EXPECT_EQ(cluster_.QueryInt("SELECT pending FROM v_sweeps"), 6);
  EXPECT_EQ(cluster_.Cli({"resume", "small"}).code, 0);
  ASSERT_TRUE(cluster_.AwaitFinished(sweep));
  EXPECT_EQ(cluster_.RankCsv("small"), FaultFreeCsv(kSmallSweep));
}

TEST_F(ClusterTest, UnknownNamesAndAbsentCoordinatorsHaveTheirExitCodes) {
  const CommandResult unknown = cluster_.Cli({"rank", "nothing"});
  EXPECT_EQ(unknown.code, 2) << unknown;
  EXPECT_THAT(unknown.err, HasSubstr("nothing"));
  EXPECT_EQ(cluster_.Cli({"show", "99"}).code, 2);
  cluster_.coordinator().Kill();
  const CommandResult absent = cluster_.Cli({"list"});
  EXPECT_EQ(absent.code, 3) << absent;
  EXPECT_EQ(cluster_.Run({"pause", "small", "--db", cluster_.db()}).code, 3);
  EXPECT_EQ(cluster_.Run({"list", "--db", cluster_.dir() / "none.db"}).code, 3);
}

TEST_F(ClusterTest, CtrlCEndsACommandThatWaitsForItsInput) {
  const std::string pipe = cluster_.dir() / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  const auto plan = cluster_.Launch("plan", {"plan", pipe});
  int writer = -1;  // can be opened once there is a reader, who then waits for what is never written
  ASSERT_TRUE(cluster_.Await("the command to read", [&] {
    return !plan->IsRunning() || (writer = open(pipe.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC)) >= 0;
  }));
  plan->Signal(SIGINT);
  EXPECT_TRUE(cluster_.Await("it to end", [&] { return !plan->IsRunning(); }));
  EXPECT_EQ(plan->Wait(), -SIGINT) << plan->Describe();
  close(writer);
}

TEST_F(ClusterTest, ReadersNeedNoCoordinator) {
  cluster_.OpenGate();
  const std::string sweep = cluster_.Submit(kSmallSweep);
  ASSERT_TRUE(cluster_.AwaitFinished(sweep));
  for (const bool crashed : {false, true}) {
    if (crashed) cluster_.StartCoordinator();
    cluster_.coordinator().Signal(crashed ? SIGKILL : SIGTERM);
    cluster_.coordinator().Wait();
    const CommandResult list = cluster_.Run({"list", "--db", cluster_.db()});
    EXPECT_EQ(list.code, 0) << list;
    EXPECT_THAT(list.out, HasSubstr("small"));
    EXPECT_EQ(cluster_.Run({"rank", "small", "--db", cluster_.db(), "--format", "csv", "--no-times"}).out,
              FaultFreeCsv(kSmallSweep));
    EXPECT_EQ(cluster_.Run({"watch", "small", "--db", cluster_.db()}).code, 0);
  }
}

TEST_F(ClusterTest, RunAttachesToTheCoordinatorThatServesTheDatabase) {
  WriteFile(cluster_.dir() / "small.yaml", kSmallSweep);
  cluster_.OpenGate();
  const CommandResult run =
      cluster_.Run({"run", "small.yaml", "--db", cluster_.db(), "--format", "csv", "--no-times"});
  EXPECT_EQ(run.code, 0) << run;
  EXPECT_EQ(run.out, FaultFreeCsv(kSmallSweep));
  EXPECT_TRUE(cluster_.coordinator().IsRunning());
}

TEST_F(ClusterTest, TheSqliteShellReadsTheLiveDatabase) {
  if (std::system("command -v sqlite3 > /dev/null") != 0) GTEST_SKIP() << "there is no sqlite3 program here";
  const std::string sweep = cluster_.Submit(kSmallSweep);
  ASSERT_TRUE(AwaitRunning(2));
  TestProcess shell(
      {.name = "sqlite3",
       .argv = {"/bin/sh", "-c", "exec sqlite3 '" + cluster_.db() + "' 'SELECT count(*) FROM v_ranking'"},
       .env = {},
       .log_dir = cluster_.dir().path(),
       .work_dir = ""});
  EXPECT_EQ(shell.Wait(), 0) << shell.Describe();
  EXPECT_EQ(shell.Out(), "4\n");
  cluster_.OpenGate();
  ASSERT_TRUE(cluster_.AwaitFinished(sweep));
  cluster_.ExpectIntact(sweep);
}

// A grid of `values` x 4 cells.
std::string SweepOf(int values) {
  std::string yaml =
      "name: large\ndataset: tiny\ntraining: {epochs: 3}\nseeds: 10\ngrid:\n  optimizer: [{sgd: {lr: [0.1";
  for (int i = 1; i < values; ++i) yaml += fmt::format(", {:.5f}", i / 1e5);
  return yaml + "]}}]\n  regularization: [{l2: [0.1, 0.2, 0.3, 0.4]}]\n";
}

TEST(ClusterLimitTest, TheCoordinatorSaysHowManyJobsASweepMayHave) {
  Cluster cluster({.coordinator_flags = {"--max-jobs", "110000"}});
  cluster.StartCoordinator();
  WriteFile(cluster.dir() / "large.yaml", SweepOf(2600));
  const CommandResult taken = cluster.Cli({"submit", cluster.dir() / "large.yaml"});
  EXPECT_EQ(taken.code, 0) << taken;
  EXPECT_THAT(taken.err, HasSubstr("104,000 jobs"));
  WriteFile(cluster.dir() / "larger.yaml", SweepOf(2800));
  const CommandResult refused = cluster.Cli({"submit", cluster.dir() / "larger.yaml"});
  EXPECT_EQ(refused.code, 2) << refused;
  EXPECT_THAT(refused.err, HasSubstr("112,000 jobs, more than the limit of 110,000"));
  EXPECT_EQ(cluster.QueryInt("SELECT count(*) FROM v_sweeps"), 1);
}

}  // namespace
}  // namespace gridsweep
