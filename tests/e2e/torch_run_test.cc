// `gridsweep run` with the real trainer, on images so easy that a working one cannot miss.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
    if (round == 0) first = run.out;
    EXPECT_EQ(run.out, first) << "alone and side by side";
  }
}

}  // namespace
}  // namespace gridsweep
