// Machines that fail below their programs: disks that cannot or can hardly write, clocks that jump. Real processes, with
// tests/support/faulty_machine.cc between them and the C library.
#include <gtest/gtest.h>

#include <csignal>

#include "tests/fault/sweeps.h"
#include "tests/support/cluster.h"

namespace gridsweep {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kCanPreload = false;  // a sanitizer wants to be the first library
#else
constexpr bool kCanPreload = true;
#endif

class MachineFault : public testing::Test {
 protected:
  void SetUp() override {
    if (!kCanPreload) GTEST_SKIP() << "nothing can be preloaded into a program with a sanitizer";
  }
  Cluster::Options Options(int epoch_ms) const {
    return {.lease_seconds = 60,
            .fake = {{"epoch_ms", epoch_ms}},
            .env = {{"LD_PRELOAD", GRIDSWEEP_FAULTY_MACHINE_LIBRARY},
                    {"GRIDSWEEP_FAULTY_MACHINE", faults_.path()}}};
  }
  void Begin(const std::string& fault) const { WriteFile(faults_ / fault, ""); }
  void End(const std::string& fault) const { std::filesystem::remove(faults_ / fault); }

  static void ExpectUndisturbed(Cluster& cluster, const std::string& sweep) {
    ASSERT_TRUE(cluster.AwaitFinished(sweep));
    cluster.ExpectIntact(sweep);
    EXPECT_EQ(cluster.RankCsv(sweep), FaultFreeCsv(kFaultSweep));
    // A lease whose answer a broken coordinator never sent may be in the log all the same; no worker has begun it.
    EXPECT_EQ(
        cluster.QueryInt("SELECT count(*) FROM v_attempts WHERE error <> 'the lease was never delivered'"),
        12);
  }

 private:
  TempDir faults_;
};

TEST_F(MachineFault, ADiskThatCannotSyncEndsTheCoordinatorAndARestartGoesOn) {
  Cluster cluster(Options(30));
  cluster.StartCoordinator();
  cluster.StartWorker("alice", {.flags = {"--slots", "2"}});
  const std::string sweep = cluster.Submit(kFaultSweep);
  ASSERT_TRUE(cluster.Await("progress", [&] { return cluster.QueryInt(kEpochsSql) >= 6; }));
  Begin("sync-fails");
  EXPECT_EQ(cluster.coordinator().Wait(), 70) << cluster.Describe();
  EXPECT_NE(cluster.coordinator().Err().find("coordinator_broken"), std::string::npos);
  const int64_t stored = cluster.QueryInt(kEpochsSql);
  End("sync-fails");
  cluster.StartCoordinator();
  EXPECT_GE(cluster.QueryInt(kEpochsSql), stored);
  ExpectUndisturbed(cluster, sweep);
  EXPECT_EQ(cluster.QueryInt("SELECT sum(epochs) FROM v_attempts"), 36) << "no epoch is lost or there twice";
}

TEST_F(MachineFault, ASlowDiskOnlySlowsDown) {
  Begin("sync-slow");
  Cluster cluster(Options(5));
  cluster.StartCoordinator();
  cluster.StartWorker("alice", {.flags = {"--slots", "4"}});
  cluster.StartWorker("bob", {.flags = {"--slots", "4"}});
  const std::string sweep = cluster.Submit(kFaultSweep);
  ExpectUndisturbed(cluster, sweep);
  EXPECT_EQ(cluster.QueryInt(kLossesSql), 0);
}

TEST_F(MachineFault, AWallClockThatJumpsMovesNoLease) {
  Cluster cluster(Options(30));
  cluster.StartCoordinator();
  cluster.StartWorker("alice", {.flags = {"--slots", "2"}});
  const std::string sweep = cluster.Submit(kFaultSweep);
  for (const char* jump : {"clock-ahead", "clock-behind"}) {
    const int64_t epochs = cluster.QueryInt(kEpochsSql);
    Begin(jump);
    ASSERT_TRUE(cluster.Await("progress", [&] { return cluster.QueryInt(kEpochsSql) >= epochs + 6; }));
    End(jump);
  }
  ExpectUndisturbed(cluster, sweep);
  EXPECT_EQ(cluster.QueryInt(kLossesSql), 0);
  // Or the jump has not reached the program.
  EXPECT_GT(cluster.QueryInt("SELECT max(started_us) - min(started_us) > 1800000000 FROM v_attempts"), 0);
}

}  // namespace
}  // namespace gridsweep
