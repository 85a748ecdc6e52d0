// The programs with the real trainer, on images so easy that a working one cannot miss.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "tests/support/cluster.h"

namespace gridsweep {
namespace {

constexpr char kSweep[] = R"(name: real
dataset: tiny
training: {epochs: 2, batch_size: 16, validation: 0.2}
seeds: [1]
grid:
  model: [mlp, cnn]
)";

TEST(TorchRun, TwoModelsLearnAndTheirNumbersRepeat) {
  std::string first;
  for (int round = 0; round < 2; ++round) {
    Cluster cluster;
    WriteFile(cluster.dir() / "real.yaml", kSweep);
    const CommandResult run =
        cluster.Run({"run", "real.yaml", "--db", cluster.db(), "--data-dir", cluster.data_dir(), "--devices",
                     "cpu", "--slots", std::to_string(round + 1), "--format", "csv", "--no-times"});
    ASSERT_EQ(run.code, 0) << run << ReadFile(cluster.db() + ".worker.log");
    EXPECT_EQ(cluster.QueryInt("SELECT count(*) FROM v_jobs WHERE val_accuracy > 0.9"), 2) << run;
    EXPECT_GT(cluster.QueryInt("SELECT sum(count) FROM v_confusion WHERE actual = predicted"), 72);
    EXPECT_GT(cluster.QueryInt("SELECT count(*) FROM v_predictions"), 0);
    // The images that they are about.
    EXPECT_EQ(cluster.QueryInt(
                  "SELECT count(*) FROM v_predictions p LEFT JOIN v_sample_images i USING (image) WHERE "
                  "i.image IS NULL"),
              0)
        << ReadFile(cluster.db() + ".worker.log");
    if (round == 0) first = run.out;
    EXPECT_EQ(run.out, first) << "alone and side by side";
  }
}

// Two groups of five jobs that share epochs.
constexpr char kShared[] = R"(name: shared
dataset: tiny
training: {epochs: 8, batch_size: 16, validation: 0.2}
seeds: [1]
grid:
  model: [mlp, { cnn: { channels: [8, 16] } }]
  regularization: [dropout]
  scheduler: [none, { step: { step_size: 2 } }, { plateau: { patience: 0 } }, exponential, cosine]
)";

TEST(TorchRun, SharedEpochsAndATrainerKilledAmongThemChangeNoNumber) {
  const WorkerSetup real = {.trainer = "gridsweep-trainer"};
  const auto undisturbed = [&](std::vector<std::string> flags) {
    Cluster cluster({.lease_seconds = 3600, .coordinator_flags = std::move(flags)});
    cluster.StartCoordinator();
    cluster.StartWorker("alice", real);
    const std::string sweep = cluster.Submit(kShared);
    EXPECT_TRUE(cluster.AwaitFinished(sweep));
    cluster.ExpectIntact(sweep);
    return std::pair(cluster.RankCsv(sweep), cluster.QueryInt("SELECT sum(shared_epochs) FROM v_jobs"));
  };
  const auto [unshared, none] = undisturbed({"--no-share"});
  EXPECT_EQ(none, 0);
  const auto [shared, epochs] = undisturbed({});
  EXPECT_GE(epochs, 2 * 5) << "at least the first of each";
  EXPECT_EQ(shared, unshared);

  Cluster cluster({.lease_seconds = 3600});
  cluster.StartCoordinator();
  cluster.StartWorker("alice", real);
  const std::string sweep = cluster.Submit(kShared);
  ASSERT_TRUE(cluster.Await("a shared epoch", [&] {
    return cluster.QueryInt("SELECT count(*) FROM v_epochs WHERE shared_by > 1") > 0 ||
           cluster.QueryInt("SELECT count(*) FROM v_attempts WHERE epochs > 0 AND bundle > 0") > 0;
  }));
  kill(cluster.TrainerOf("alice"), SIGKILL);
  ASSERT_TRUE(cluster.AwaitFinished(sweep));
  cluster.ExpectIntact(sweep);
  EXPECT_GT(cluster.QueryInt("SELECT count(*) FROM v_attempts WHERE state = 'preempted' AND epochs > 0"), 0)
      << "the kill came in the middle of the bundle" << cluster.Describe();
  EXPECT_EQ(cluster.RankCsv(sweep), unshared);
}

}  // namespace
}  // namespace gridsweep
