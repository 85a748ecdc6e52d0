// `gridsweep run`, as a user types it: everything on one machine, with the fake trainer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "tests/e2e/small_sweep.h"
#include "tests/support/cluster.h"

namespace gridsweep {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

class RunTest : public testing::Test {
 protected:
  explicit RunTest(Cluster::Options options = {}) : cluster_(std::move(options)) {
    Write("small.yaml", kSmallSweep);
  }

  void Write(const std::string& name, const std::string& text) { WriteFile(cluster_.dir() / name, text); }
  std::vector<std::string> Command(const std::string& file, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> args = {"run",        file,
                                     "--db",       cluster_.db(),
                                     "--data-dir", cluster_.data_dir(),
                                     "--trainer",  Cluster::Program("fake-trainer"),
                                     "--slots",    "2",
                                     "--devices",  "cpu"};
    args.insert(args.end(), more.begin(), more.end());
    return args;
  }
  // The last table of a run, made by the database alone.
  std::string Csv() {
    const CommandResult ranked =
        cluster_.Run({"rank", "small", "--db", cluster_.db(), "--format", "csv", "--no-times"});
    EXPECT_EQ(ranked.code, 0) << ranked;
    return ranked.out;
  }

  Cluster cluster_;
};

TEST_F(RunTest, RunsToTheEndAndPrintsTheTable) {
  const CommandResult run = cluster_.Run(Command("small.yaml"));
  ASSERT_EQ(run.code, 0) << run;
  EXPECT_THAT(run.out, ContainsRegex("rank.*model.*activation"));
  for (const char* cell : {"mlp.*relu", "mlp.*tanh", "cnn.*relu", "cnn.*tanh"}) {
    EXPECT_THAT(run.out, ContainsRegex(cell));
  }
  EXPECT_THAT(run.err, HasSubstr("4 cells, 8 jobs"));
  EXPECT_THAT(run.out, Not(HasSubstr("4 cells, 8 jobs"))) << "progress belongs on stderr";
  EXPECT_EQ(cluster_.QueryInt("SELECT succeeded FROM v_sweeps"), 8);
}

TEST_F(RunTest, NothingIsLeftRunning) {
  const auto run = cluster_.Launch("run", Command("small.yaml"));
  std::vector<pid_t> children;
  EXPECT_TRUE(cluster_.Await("coordinator and worker to be started", [&] {
    for (const pid_t child : ChildrenOf(run->pid())) children.push_back(child);
    return !run->IsRunning() || ChildrenOf(run->pid()).size() == 2;
  }));
  EXPECT_EQ(run->Wait(), 0) << run->Describe();
  ASSERT_FALSE(children.empty());
  for (const pid_t child : children) EXPECT_FALSE(IsAlive(child));
  EXPECT_EQ(ReadFile(cluster_.db() + ".lock"), "");
}

TEST_F(RunTest, TheSameRunAgainPrintsTheSameTableAtOnce) {
  const CommandResult first = cluster_.Run(Command("small.yaml", {"--format", "csv"}));
  ASSERT_EQ(first.code, 0) << first;
  const CommandResult again = cluster_.Run(Command("small.yaml", {"--format", "csv"}));
  EXPECT_EQ(again.code, 0) << again;
  EXPECT_EQ(again.out, first.out);
  EXPECT_THAT(again.err, HasSubstr("finished already"));
  EXPECT_EQ(cluster_.QueryInt("SELECT count(*) FROM v_attempts"), 8);

  const CommandResult anew =
      cluster_.Run(Command("small.yaml", {"--again", "--format", "csv", "--no-times"}));
  EXPECT_EQ(anew.code, 0) << anew;
  EXPECT_EQ(cluster_.QueryInt("SELECT count(*) FROM v_sweeps"), 2);
  EXPECT_EQ(anew.out, Csv());
}

TEST_F(RunTest, ABadFileIsExplainedAndNothingIsStarted) {
  Write("bad.yaml", "name: bad\ndataset: tiny\ngrid:\n  optimizer: addam\n");
  const CommandResult bad = cluster_.Run(Command("bad.yaml"));
  EXPECT_EQ(bad.code, 2) << bad;
  EXPECT_THAT(bad.err, HasSubstr("bad.yaml:4:14: "));
  EXPECT_THAT(bad.err, HasSubstr("adam"));
  EXPECT_EQ(bad.out, "");
  const CommandResult missing = cluster_.Run(Command("nowhere.yaml"));
  EXPECT_EQ(missing.code, 2) << missing;
  EXPECT_THAT(missing.err, HasSubstr("nowhere.yaml"));
  EXPECT_EQ(cluster_.Run({"run"}).code, 2);
  EXPECT_FALSE(std::filesystem::exists(cluster_.db()));
}

TEST_F(RunTest, AMissingDataSetIsExplainedBeforeAnythingStarts) {
  Write("elsewhere.yaml", "name: x\ndataset: elsewhere\ngrid: {model: mlp}\n");
  const CommandResult run = cluster_.Run(Command("elsewhere.yaml"));
  EXPECT_EQ(run.code, 2) << run;
  EXPECT_THAT(run.err, HasSubstr("elsewhere"));
  EXPECT_FALSE(std::filesystem::exists(cluster_.db()));
}

TEST_F(RunTest, AMissingTrainerIsExplained) {
  std::vector<std::string> args = Command("small.yaml");
  *(std::find(args.begin(), args.end(), "--trainer") + 1) = "/no/such/trainer";
  const CommandResult run = cluster_.Run(args);
  EXPECT_EQ(run.code, 2) << run;
  EXPECT_THAT(run.err, HasSubstr("/no/such/trainer"));
}

class FailingRunTest : public RunTest {
 protected:
  FailingRunTest()
      : RunTest(
            {.fake = {{"rules", {{{"do", "fail_for_good"}, {"seed", 2}, {"model", "cnn"}, {"times", 2}}}}}}) {
  }
};

TEST_F(FailingRunTest, FailedJobsGiveExitCodeOneAndCanBeRetried) {
  const CommandResult run = cluster_.Run(Command("small.yaml"));
  EXPECT_EQ(run.code, 1) << run;
  EXPECT_THAT(run.out, HasSubstr("failed"));
  EXPECT_EQ(cluster_.QueryInt("SELECT failed FROM v_sweeps"), 2);
  const CommandResult retried = cluster_.Run(Command("small.yaml", {"--retry"}));
  EXPECT_EQ(retried.code, 0) << retried;
  EXPECT_EQ(cluster_.QueryInt("SELECT succeeded FROM v_sweeps"), 8);
  EXPECT_EQ(Csv(), FaultFreeCsv(kSmallSweep));
}

class InterruptedRunTest : public RunTest {
 protected:
  InterruptedRunTest() : RunTest({.gated = true}) {}

  void RunUntilInterrupted(int signal) {
    const auto run = cluster_.Launch("interrupted", Command("small.yaml"));
    ASSERT_TRUE(cluster_.Await("two jobs to train", [&] {
      return !run->IsRunning() || cluster_.QueryInt("SELECT running FROM v_sweeps") == 2;
    }));
    run->Signal(signal);
    EXPECT_EQ(run->Wait(), 130) << run->Describe();
    EXPECT_THAT(run->Err(), HasSubstr("run the same command to resume"));
    EXPECT_EQ(run->Out(), "");
  }
};

TEST_F(InterruptedRunTest, TheSameCommandGoesOnAfterCtrlC) {
  RunUntilInterrupted(SIGINT);
  EXPECT_EQ(cluster_.QueryInt("SELECT count(*) FROM v_attempts WHERE state = 'preempted'"), 2);
  EXPECT_EQ(cluster_.QueryInt("SELECT count(*) FROM v_attempts WHERE state = 'open'"), 0);
  cluster_.OpenGate();
  const CommandResult run = cluster_.Run(Command("small.yaml"));
  EXPECT_EQ(run.code, 0) << run;
  EXPECT_THAT(run.err, HasSubstr("going on"));
  EXPECT_EQ(cluster_.QueryInt("SELECT count(*) FROM v_sweeps"), 1);
  EXPECT_EQ(Csv(), FaultFreeCsv(kSmallSweep));
}

TEST_F(InterruptedRunTest, AnInterruptedRepetitionGoesOnToo) {
  cluster_.OpenGate();
  ASSERT_EQ(cluster_.Run(Command("small.yaml")).code, 0);
  std::filesystem::remove(cluster_.dir() / "gate/open");
  const auto run = cluster_.Launch("interrupted", Command("small.yaml", {"--again"}));
  ASSERT_TRUE(cluster_.Await("two jobs to train", [&] {
    return !run->IsRunning() || cluster_.QueryInt("SELECT sum(running) FROM v_sweeps") == 2;
  }));
  run->Signal(SIGINT);
  ASSERT_EQ(run->Wait(), 130) << run->Describe();
  cluster_.OpenGate();
  const CommandResult again = cluster_.Run(Command("small.yaml"));
  EXPECT_EQ(again.code, 0) << again;
  EXPECT_THAT(again.err, HasSubstr("sweep 2 'small': going on"));
  EXPECT_EQ(cluster_.QueryInt("SELECT count(*) FROM v_sweeps WHERE succeeded = 8"), 2);
  const CommandResult shown = cluster_.Run(Command("small.yaml"));
  EXPECT_THAT(shown.err, HasSubstr("finished already"));
  EXPECT_EQ(cluster_.QueryInt("SELECT count(*) FROM v_sweeps"), 2);
}

TEST_F(InterruptedRunTest, ASecondRunOutlivesTheFirst) {
  const std::string yaml =
      "name: other\ndataset: tiny\ntraining: {epochs: 3, validation: 0.1}\ngrid: {model: mlp}\n";
  Write("other.yaml", yaml);
  const auto first = cluster_.Launch("first", Command("small.yaml"));
  ASSERT_TRUE(cluster_.Await("two jobs to train", [&] {
    return !first->IsRunning() || cluster_.QueryInt("SELECT running FROM v_sweeps") == 2;
  }));
  const auto second = cluster_.Launch("second", Command("other.yaml", {"--format", "csv", "--no-times"}));
  ASSERT_TRUE(cluster_.Await("the second sweep to be stored", [&] {
    return !second->IsRunning() || cluster_.QueryInt("SELECT count(*) FROM v_sweeps") == 2;
  }));
  EXPECT_THAT(second->Describe(), HasSubstr("submitting there"));
  first->Signal(SIGINT);
  EXPECT_EQ(first->Wait(), 130) << first->Describe();
  cluster_.OpenGate();
  EXPECT_EQ(second->Wait(), 0) << second->Describe();
  EXPECT_THAT(second->Err(), HasSubstr("going on with one of our own"));
  EXPECT_EQ(second->Out(), FaultFreeCsv(yaml));
}

TEST_F(InterruptedRunTest, ASecondRunOfTheSameFilePrintsTheTableAsWell) {
  const std::vector<std::string> command = Command("small.yaml", {"--format", "csv", "--no-times"});
  const auto first = cluster_.Launch("first", command);
  ASSERT_TRUE(cluster_.Await("two jobs to train", [&] {
    return !first->IsRunning() || cluster_.QueryInt("SELECT running FROM v_sweeps") == 2;
  }));
  const auto second = cluster_.Launch("second", command);
  ASSERT_TRUE(cluster_.Await("the second to watch", [&] {
    return !second->IsRunning() || second->Err().find("going on with") != std::string::npos;
  }));
  cluster_.OpenGate();
  EXPECT_EQ(first->Wait(), 0) << first->Describe();
  EXPECT_EQ(second->Wait(), 0) << second->Describe();
  EXPECT_EQ(first->Out(), FaultFreeCsv(kSmallSweep));
  EXPECT_EQ(second->Out(), FaultFreeCsv(kSmallSweep));
}

TEST_F(InterruptedRunTest, TheSameCommandGoesOnAfterAKill) {
  const auto run = cluster_.Launch("killed", Command("small.yaml"));
  ASSERT_TRUE(cluster_.Await("two jobs to train", [&] {
    return !run->IsRunning() || cluster_.QueryInt("SELECT running FROM v_sweeps") == 2;
  }));
  const std::vector<pid_t> children = ChildrenOf(run->pid());
  run->Kill();
  EXPECT_TRUE(cluster_.Await("its children to end as well",
                             [&] { return std::none_of(children.begin(), children.end(), IsAlive); }));
  cluster_.OpenGate();
  const CommandResult again = cluster_.Run(Command("small.yaml"));
  EXPECT_EQ(again.code, 0) << again;
  EXPECT_EQ(Csv(), FaultFreeCsv(kSmallSweep));
}

class ResumedRunTest : public RunTest {
 protected:
  ResumedRunTest() : RunTest({.fake = {{"checkpoint_interval", 0}}, .gated = true}) {
    for (const int seed : {1, 2}) WriteFile(cluster_.dir() / fmt::format("gate/seed-{}-epoch-1", seed), "");
  }
  std::string Checkpoints() const { return cluster_.db() + ".checkpoints"; }
};

TEST_F(ResumedRunTest, AfterAKillJobsGoOnInTheMiddleAndNothingIsLeftAtTheEnd) {
  const auto run = cluster_.Launch("killed", Command("small.yaml"));
  ASSERT_TRUE(cluster_.Await("two checkpoints", [&] {
    return !run->IsRunning() || cluster_.QueryInt("SELECT count(*) FROM v_checkpoints") == 2;
  }));
  const std::vector<pid_t> children = ChildrenOf(run->pid());
  run->Kill();
  EXPECT_TRUE(cluster_.Await("its children to end as well",
                             [&] { return std::none_of(children.begin(), children.end(), IsAlive); }));
  EXPECT_TRUE(std::filesystem::exists(Checkpoints()));
  cluster_.OpenGate();
  const CommandResult again = cluster_.Run(Command("small.yaml"));
  EXPECT_EQ(again.code, 0) << again;
  EXPECT_EQ(Csv(), FaultFreeCsv(kSmallSweep));
  EXPECT_EQ(cluster_.QueryInt("SELECT count(*) FROM v_attempts WHERE accepted AND resumed_epoch = 1"), 2);
  EXPECT_FALSE(std::filesystem::exists(Checkpoints()));
  EXPECT_EQ(cluster_.QueryInt("SELECT count(*) FROM v_models"), 8) << "also of the jobs that ended last";
}

TEST_F(RunTest, NoShareGivesTheSameTable) {
  const std::string yaml =
      "name: small\ndataset: tiny\ntraining: {epochs: 3, validation: 0.1}\nseeds: [1]\n"
      "grid: {model: [mlp, cnn], scheduler: [none, exponential, plateau]}\n";
  Write("shared.yaml", yaml);
  const CommandResult shared = cluster_.Run(Command("shared.yaml", {"--no-times"}));
  ASSERT_EQ(shared.code, 0) << shared;
  EXPECT_GT(cluster_.QueryInt("SELECT sum(shared_epochs) FROM v_jobs"), 0);
  const CommandResult times = cluster_.Run({"rank", "small", "--db", cluster_.db()});
  EXPECT_THAT(times.out, HasSubstr("trained once"));
  const CommandResult alone = cluster_.Run(Command("shared.yaml", {"--no-times", "--no-share", "--again"}));
  ASSERT_EQ(alone.code, 0) << alone;
  EXPECT_EQ(cluster_.QueryInt("SELECT sum(shared_epochs) FROM v_jobs WHERE sweep = 2"), 0);
  EXPECT_EQ(alone.out, shared.out);
  const CommandResult job = cluster_.Run({"show", "1", "--db", cluster_.db()});
  EXPECT_THAT(job.out, HasSubstr("was trained once for"));
}

TEST_F(RunTest, SeedsAreAddedWhereTheyAreWanted) {
  ASSERT_EQ(cluster_.Run(Command("small.yaml")).code, 0);
  const auto seeds = [&](std::vector<std::string> more) {
    std::vector<std::string> args = {"seeds",      "small",
                                     "--db",       cluster_.db(),
                                     "--data-dir", cluster_.data_dir(),
                                     "--trainer",  Cluster::Program("fake-trainer"),
                                     "--slots",    "2",
                                     "--devices",  "cpu"};
    args.insert(args.end(), more.begin(), more.end());
    return cluster_.Run(args);
  };
  EXPECT_EQ(seeds({}).code, 2) << "how many is not said";
  const CommandResult all = seeds({"--to", "3"});
  EXPECT_EQ(all.code, 0) << all;
  EXPECT_EQ(cluster_.QueryInt("SELECT succeeded FROM v_sweeps"), 12);
  EXPECT_EQ(cluster_.QueryInt("SELECT jobs FROM v_revisions WHERE revision = 1"), 4);
  const CommandResult again = seeds({"--to", "3"});
  EXPECT_EQ(again.code, 0) << again;
  EXPECT_EQ(cluster_.QueryInt("SELECT count(*) FROM v_revisions"), 1) << "nothing was left to do";

  const CommandResult separated = seeds({"--until-separated", "--max", "5"});
  EXPECT_EQ(separated.code, 0) << separated;
  EXPECT_THAT(separated.out, HasSubstr("jobs spent"));
  EXPECT_THAT(separated.err, ContainsRegex("separated from every other cell|may still be the best"));
  EXPECT_LE(cluster_.QueryInt("SELECT max(jobs) FROM v_ranking"), 5);
  EXPECT_EQ(cluster_.QueryInt("SELECT count(*) FROM v_effects WHERE term = 'model'"), 1)
      << "analysed as it ended";
}

}  // namespace
}  // namespace gridsweep
