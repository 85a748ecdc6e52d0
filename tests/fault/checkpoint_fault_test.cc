// Jobs that go on in the middle, on other workers and from what is left of their checkpoints, as real processes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>

#include "tests/fault/sweeps.h"
#include "tests/support/cluster.h"
#include "tests/support/status_matchers.h"

namespace gridsweep {
namespace {

// Jobs that differ in the scheduler: a bundle, which parts after the first epoch.
constexpr char kBundleJobs[] = R"(name: together
dataset: tiny
training: {epochs: 4, validation: 0.1}
seeds: [1]
grid:
  model: mlp
  optimizer: {sgd: {lr: 0.1}}
  scheduler: [none, {step: {step_size: 2, gamma: 0.5}}, {exponential: {gamma: 0.9}}]
)";

constexpr char kCheckpointsSql[] = "SELECT count(*) FROM v_checkpoints";

class CheckpointFault : public testing::Test {
 protected:
  CheckpointFault() : cluster_({.gated = true}) { cluster_.StartCoordinator(); }

  TestProcess& StartWorker(const std::string& name, std::vector<std::string> flags = {}) {
    flags.insert(flags.end(), {"--checkpoint-interval", "0"});
    return cluster_.StartWorker(name, {.flags = flags});
  }
  // The named worker's own folder.
  std::string FolderOf(const std::string& worker) const {
    return cluster_.dir() / ("state-home/gridsweep/checkpoints/" + worker);
  }
  std::string Artifacts() const { return cluster_.db() + ".artifacts"; }

  // Alice trains the one job up to and with `epoch`, whose checkpoint is stored.
  void TrainByAlice(int epoch) {
    StartWorker("alice");
    sweep_ = cluster_.Submit(kFaultJob);
    cluster_.LetEpochsEnd(1, epoch);
    ASSERT_TRUE(cluster_.Await("the checkpoint", [&] {
      return cluster_.QueryInt("SELECT max(epoch) FROM v_checkpoints") == epoch;
    }));
  }
  // The newest checkpoint that is stored, or an older one, as a file in `folder`.
  std::string Checkpoint(const std::string& folder, int64_t epoch) {
    const auto found = cluster_.Cli(
        {"sql", fmt::format("SELECT sha256 FROM v_checkpoints WHERE epoch = {}", epoch), "--format", "tsv"});
    return fmt::format("{}/{}.safetensors", folder, LastLines(found.out, 1).substr(0, 64));
  }
  void ExpectSameTable(const std::string& yaml) {
    cluster_.OpenGate();
    ASSERT_TRUE(cluster_.AwaitFinished(sweep_));
    cluster_.ExpectIntact(sweep_);
    EXPECT_EQ(cluster_.RankCsv(sweep_), FaultFreeCsv(yaml));
  }
  int64_t ResumedEpoch() { return cluster_.QueryInt("SELECT resumed_epoch FROM v_attempts WHERE accepted"); }

  Cluster cluster_;
  std::string sweep_;
};

TEST_F(CheckpointFault, AJobOfAKilledWorkerGoesOnElsewhereFromItsLastCheckpoint) {
  TrainByAlice(2);
  cluster_.worker("alice").Kill();
  StartWorker("bob");
  ExpectSameTable(kFaultJob);
  EXPECT_EQ(ResumedEpoch(), 2);
  EXPECT_EQ(
      cluster_.QueryInt("SELECT count(*) FROM v_attempts WHERE accepted AND worker = 'bob' AND epochs = 3"),
      1);
  EXPECT_EQ(cluster_.QueryInt(kCheckpointsSql), 0) << "a job that is over goes on from nothing";
  const CommandResult shown = cluster_.Cli({"show", "1"});
  EXPECT_NE(shown.out.find("went on from epoch 2"), std::string::npos) << shown;
}

TEST_F(CheckpointFault, AJobOfACrashedTrainerGoesOnWithoutATransfer) {
  TrainByAlice(1);
  kill(cluster_.TrainerOf("alice"), SIGKILL);
  ExpectSameTable(kFaultJob);
  EXPECT_EQ(ResumedEpoch(), 1);
  EXPECT_EQ(cluster_.QueryInt(kFailuresSql), 1);
}

TEST_F(CheckpointFault, ADamagedFileInTheWorkersFolderIsFetchedAgain) {
  TrainByAlice(2);
  const std::string file = Checkpoint(FolderOf("alice"), 2);
  std::string bytes = ReadFile(file);
  ASSERT_FALSE(bytes.empty());
  bytes.back() ^= 1;
  WriteFile(file, bytes);
  kill(cluster_.TrainerOf("alice"), SIGKILL);
  ExpectSameTable(kFaultJob);
  EXPECT_EQ(ResumedEpoch(), 2);
}

TEST_F(CheckpointFault, WithoutTheNewestCheckpointAnOlderOneServes) {
  TrainByAlice(2);
  cluster_.worker("alice").Kill();
  std::filesystem::resize_file(Checkpoint(Artifacts(), 2), 100);
  TestProcess& bob = StartWorker("bob");
  ExpectSameTable(kFaultJob);
  EXPECT_EQ(ResumedEpoch(), 1);
  EXPECT_NE(bob.Err().find("checkpoint_not_fetched"), std::string::npos) << bob.Err();
}

TEST_F(CheckpointFault, WithoutAnyCheckpointItStartsFromScratch) {
  TrainByAlice(2);
  cluster_.worker("alice").Kill();
  std::filesystem::remove(Checkpoint(Artifacts(), 2));
  const std::string older = Checkpoint(Artifacts(), 1);
  std::string bytes = ReadFile(older);
  ASSERT_FALSE(bytes.empty());
  bytes[bytes.size() / 2] ^= 1;
  WriteFile(older, bytes);
  StartWorker("bob");
  ExpectSameTable(kFaultJob);
  EXPECT_EQ(ResumedEpoch(), 0);
}

TEST_F(CheckpointFault, ARestartedWorkerAndCoordinatorGoOn) {
  TrainByAlice(1);
  cluster_.worker("alice").Kill();
  cluster_.CrashCoordinator();
  StartWorker("alice");
  ExpectSameTable(kFaultJob);
  EXPECT_EQ(ResumedEpoch(), 1);
}

TEST_F(CheckpointFault, ABundleGoesOnTogetherFromWhereItsJobsHaveParted) {
  StartWorker("alice");
  sweep_ = cluster_.Submit(kBundleJobs);
  cluster_.LetEpochsEnd(1, 2);
  ASSERT_TRUE(cluster_.Await("checkpoints of every job", [&] {
    return cluster_.QueryInt("SELECT count(DISTINCT job) FROM v_checkpoints WHERE epoch = 2") >= 2;
  }));
  cluster_.worker("alice").Kill();
  StartWorker("bob");
  ExpectSameTable(kBundleJobs);
  EXPECT_GE(cluster_.QueryInt("SELECT count(*) FROM v_attempts WHERE accepted AND resumed_epoch = 2"), 2);
}

TEST_F(CheckpointFault, AWorkerWithoutCheckpointsTrainsFromScratch) {
  TrainByAlice(2);
  cluster_.worker("alice").Kill();
  cluster_.StartWorker("bob", {.flags = {"--no-checkpoints"}});
  ExpectSameTable(kFaultJob);
  EXPECT_EQ(ResumedEpoch(), 0);
  EXPECT_EQ(cluster_.Cli({"artifact", "get", "1", "-o", cluster_.dir() / "model"}).code, 2);
}

TEST_F(CheckpointFault, TheWeightsOfTheBestJobCanBeFetched) {
  StartWorker("alice", {"--slots", "2"});
  sweep_ = cluster_.Submit(kFaultSweep);
  ExpectSameTable(kFaultSweep);
  // Told to stop, a worker still hands in what it has.
  cluster_.worker("alice").Signal(SIGTERM);
  EXPECT_EQ(cluster_.worker("alice").Wait(), 0) << cluster_.worker("alice").Describe();
  EXPECT_EQ(cluster_.QueryInt("SELECT count(*) FROM v_models"), 10) << "of 12 jobs";
  const CommandResult list = cluster_.Cli({"artifact", "list", sweep_, "--format", "tsv"});
  ASSERT_EQ(list.code, 0) << list;
  const std::string best =
      std::to_string(cluster_.QueryInt("SELECT job FROM v_jobs ORDER BY objective DESC LIMIT 1"));
  EXPECT_NE(list.out.find("\n" + best + "\t"), std::string::npos) << "first of\n" << list;
  const std::string file = cluster_.dir() / "model.safetensors";
  const CommandResult got = cluster_.Cli({"artifact", "get", best, "-o", file});
  ASSERT_EQ(got.code, 0) << got;
  EXPECT_GT(ReadFile(file).size(), 4096U);
  EXPECT_EQ(cluster_.Cli({"artifact", "get", best, "-o", file}).code, 2) << "it does not replace a file";
  EXPECT_EQ(cluster_.Cli({"artifact", "get", best, "-o", file, "--force"}).code, 0);
  // Also from the file alone, when no coordinator runs.
  cluster_.coordinator().Signal(SIGTERM);
  EXPECT_EQ(cluster_.coordinator().Wait(), 0);
  EXPECT_EQ(cluster_.Run({"artifact", "get", best, "-o", file + "2", "--db", cluster_.db()}).code, 0);
  EXPECT_EQ(ReadFile(file), ReadFile(file + "2"));
}

}  // namespace
}  // namespace gridsweep
