// The disk that holds the database fills up in the middle of a sweep.
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/statvfs.h>

#include <cstring>

#include "tests/fault/sweeps.h"
#include "tests/support/cluster.h"

namespace gridsweep {
namespace {

// A file system of a few MiB; unmounted with the object.
class TinyDisk {
 public:
  TinyDisk() { mounted_ = mount("tmpfs", dir_.path().c_str(), "tmpfs", 0, "size=8m") == 0; }
  ~TinyDisk() {
    if (mounted_) umount2(dir_.path().c_str(), MNT_DETACH);
  }
  bool mounted() const { return mounted_; }
  const std::string& path() const { return dir_.path(); }

  // Leaves not a byte free. Returns whether that took anything.
  bool Fill() {
    std::ofstream ballast(dir_ / "ballast", std::ios::app | std::ios::binary);
    const std::string page(4096, 'x');
    bool wrote = false;
    while (ballast.write(page.data(), static_cast<std::streamsize>(page.size())).flush()) wrote = true;
    return wrote;
  }
  void Free() { std::filesystem::remove(dir_ / "ballast"); }

 private:
  TempDir dir_;
  bool mounted_ = false;
};

TEST(DiskFault, AFullDiskAcknowledgesNothingAndTheSweepFinishesOnceThereIsSpace) {
  TinyDisk disk;
  if (!disk.mounted()) GTEST_SKIP() << "cannot mount a tmpfs here (needs root): " << std::strerror(errno);
  Cluster cluster({.lease_seconds = 60, .fake = {{"epoch_ms", 40}}, .db_dir = disk.path()});
  cluster.StartCoordinator();
  TestProcess& alice = cluster.StartWorker("alice", {.flags = {"--slots", "2"}});
  const std::string sweep = cluster.Submit(kFaultSweep);
  ASSERT_TRUE(cluster.Await("progress", [&] { return cluster.QueryInt(kEpochsSql) >= 6; }));
  ASSERT_TRUE(disk.Fill());
  ASSERT_TRUE(cluster.AwaitLog(cluster.coordinator(), "commit_failed", 2));
  ASSERT_TRUE(cluster.AwaitLog(alice, "coordinator_away"));
  // What it has acknowledged by now must be in the file, so its sudden death changes nothing.
  const int64_t stored = cluster.QueryInt(kEpochsSql);
  cluster.coordinator().Kill();
  EXPECT_EQ(cluster.QueryInt(kEpochsSql), stored);
  disk.Free();
  cluster.StartCoordinator();
  ASSERT_TRUE(cluster.AwaitFinished(sweep));
  cluster.ExpectIntact(sweep);
  EXPECT_EQ(cluster.RankCsv(sweep), FaultFreeCsv(kFaultSweep));
  EXPECT_EQ(cluster.QueryInt("SELECT sum(epochs) FROM v_attempts WHERE accepted"), 36);
  EXPECT_EQ(cluster.QueryInt(kFailuresSql), 0);
}

TEST(DiskFault, AFullDiskIsSurvivedWithoutARestart) {
  TinyDisk disk;
  if (!disk.mounted()) GTEST_SKIP() << "cannot mount a tmpfs here (needs root): " << std::strerror(errno);
  Cluster cluster({.lease_seconds = 60, .fake = {{"epoch_ms", 40}}, .db_dir = disk.path()});
  cluster.StartCoordinator();
  cluster.StartWorker("alice", {.flags = {"--slots", "2"}});
  const std::string sweep = cluster.Submit(kFaultSweep);
  ASSERT_TRUE(cluster.Await("progress", [&] { return cluster.QueryInt(kEpochsSql) >= 6; }));
  ASSERT_TRUE(disk.Fill());
  ASSERT_TRUE(cluster.AwaitLog(cluster.coordinator(), "commit_failed"));
  ASSERT_TRUE(cluster.AwaitLog(cluster.coordinator(), "store_in_trouble"));
  EXPECT_TRUE(cluster.Await("list to say so", [&] {
    const CommandResult list = cluster.Cli({"list"});
    EXPECT_EQ(list.code, 0) << list;
    return (list.out + list.err).find("nothing has been stored") != std::string::npos;
  }));
  const std::string file = cluster.dir() / "late.yaml";
  WriteFile(file, kFaultJob);
  const CommandResult refused = cluster.Cli({"submit", file});
  EXPECT_NE(refused.code, 0) << "a sweep that could not be stored: " << refused;
  disk.Free();
  ASSERT_TRUE(cluster.AwaitFinished(sweep));
  EXPECT_EQ(cluster.Cli({"list"}).err.find("nothing has been stored"), std::string::npos);
  cluster.ExpectIntact(sweep);
  EXPECT_EQ(cluster.RankCsv(sweep), FaultFreeCsv(kFaultSweep));
  EXPECT_EQ(cluster.QueryInt("SELECT count(*) FROM v_sweeps"), 1);
}

TEST(DiskFault, ARunOnAFullDiskSaysSo) {
  TinyDisk disk;
  if (!disk.mounted()) GTEST_SKIP() << "cannot mount a tmpfs here (needs root): " << std::strerror(errno);
  Cluster cluster({.fake = {{"epoch_ms", 100}}, .db_dir = disk.path()});
  WriteFile(cluster.dir() / "faults.yaml", kFaultSweep);
  const auto run =
      cluster.Launch("run", {"run", "faults.yaml", "--db", cluster.db(), "--data-dir", cluster.data_dir(),
                             "--trainer", Cluster::Program("fake-trainer"), "--slots", "2", "--devices",
                             "cpu", "--format", "csv", "--no-times"});
  ASSERT_TRUE(cluster.Await("progress", [&] { return cluster.QueryInt(kEpochsSql) >= 4; }));
  ASSERT_TRUE(disk.Fill());
  ASSERT_TRUE(cluster.AwaitLog(*run, "full")) << run->Describe();
  disk.Free();
  EXPECT_EQ(run->Wait(), 0) << run->Describe();
  EXPECT_NE(run->Err().find("can be written again"), std::string::npos) << run->Err();
  EXPECT_EQ(run->Out(), FaultFreeCsv(kFaultSweep));
}

}  // namespace
}  // namespace gridsweep
