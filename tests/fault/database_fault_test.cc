// The database's file: damaged, replaced by a copy, contended for, held by a reader.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "coordinator/store/sqlite_db.h"
#include "tests/fault/sweeps.h"
#include "tests/support/cluster.h"

namespace gridsweep {
namespace {

using testing::HasSubstr;

// A second coordinator on the cluster's database.
CommandResult StartSecond(Cluster& cluster) {
  TestProcess second(
      {.name = "second",
       .argv = {Cluster::Program("gridsweep-coordinator"), "--db", cluster.db(), "--listen", "127.0.0.1:0"},
       .env = {},
       .log_dir = cluster.dir().path(),
       .work_dir = cluster.dir().path()});
  const std::optional<int> code = second.Wait();
  return {code.value_or(-1), second.Out(), second.Err()};
}

TEST(DatabaseFault, ADamagedFileIsRefusedUntouchedAndABackupGoesOn) {
  Cluster cluster({.lease_seconds = 60, .fake = {{"epoch_ms", 20}}});
  cluster.StartCoordinator();
  cluster.StartWorker("alice", {.flags = {"--slots", "2"}});
  const std::string sweep = cluster.Submit(kFaultSweep);
  ASSERT_TRUE(cluster.Await("progress", [&] { return cluster.QueryInt(kEpochsSql) >= 6; }));
  const std::string backup = cluster.dir() / "backup.db";
  const CommandResult saved = cluster.Cli({"backup", backup});
  ASSERT_EQ(saved.code, 0) << saved;
  cluster.worker("alice").Kill();
  cluster.coordinator().Signal(SIGTERM);
  ASSERT_EQ(cluster.coordinator().Wait(), 0);

  std::string bytes = ReadFile(cluster.db());
  ASSERT_GT(bytes.size(), 40'960u);
  for (size_t page = 1; page < bytes.size() / 4096; ++page)
    bytes.replace(page * 4096, 200, std::string(200, '\xA5'));
  WriteFile(cluster.db(), bytes);
  const CommandResult refused = StartSecond(cluster);
  EXPECT_EQ(refused.code, 1) << refused;
  EXPECT_THAT(refused.err, HasSubstr("is damaged"));
  EXPECT_THAT(refused.err, HasSubstr("restore a copy"));
  EXPECT_EQ(ReadFile(cluster.db()), bytes);

  // As the message says.
  for (const char* suffix : {"-wal", "-shm"}) std::filesystem::remove(cluster.db() + suffix);
  std::filesystem::copy_file(backup, cluster.db(), std::filesystem::copy_options::overwrite_existing);
  cluster.StartCoordinator();
  cluster.StartWorker("alice", {.flags = {"--slots", "2"}});
  ASSERT_TRUE(cluster.AwaitFinished(sweep));
  cluster.ExpectIntact(sweep);
  EXPECT_EQ(cluster.RankCsv(sweep), FaultFreeCsv(kFaultSweep));
}

TEST(DatabaseFault, ASecondCoordinatorIsRefusedAlsoWithoutTheLockFile) {
  Cluster cluster({.lease_seconds = 60, .fake = {{"epoch_ms", 20}}});
  cluster.StartCoordinator();
  cluster.StartWorker("alice", {.flags = {"--slots", "2"}});
  const std::string sweep = cluster.Submit(kFaultSweep);
  ASSERT_TRUE(cluster.Await("progress", [&] { return cluster.QueryInt(kEpochsSql) >= 6; }));
  const CommandResult refused = StartSecond(cluster);
  EXPECT_EQ(refused.code, 1) << refused;
  EXPECT_THAT(refused.err, HasSubstr("pid " + std::to_string(cluster.coordinator().pid())));
  ASSERT_TRUE(std::filesystem::remove(cluster.db() + ".lock"));
  const CommandResult still_refused = StartSecond(cluster);
  EXPECT_EQ(still_refused.code, 1) << still_refused;
  EXPECT_THAT(still_refused.err, HasSubstr("uses this database"));
  ASSERT_TRUE(cluster.AwaitFinished(sweep));
  cluster.ExpectIntact(sweep);
  EXPECT_EQ(cluster.RankCsv(sweep), FaultFreeCsv(kFaultSweep));
}

TEST(DatabaseFault, ALongReaderHoldsUpNobodyAndTheLogIsBoundedAfterIt) {
  // 30,000 jobs of which nobody has the data: megabytes for the log, at once.
  constexpr char kBulk[] =
      "name: bulk\ndataset: absent\ntraining: {epochs: 1}\nseeds: 30000\ngrid: {model: mlp}\n";
  Cluster cluster({.lease_seconds = 60, .fake = {{"epoch_ms", 10}}});
  cluster.StartCoordinator();
  cluster.StartWorker("alice", {.flags = {"--slots", "2"}});
  const auto wal = [&] { return static_cast<int64_t>(std::filesystem::file_size(cluster.db() + "-wal")); };
  const auto bulk = [&](const std::string& key) {
    WriteFile(cluster.dir() / "bulk.yaml", kBulk);
    const CommandResult submitted = cluster.Cli({"submit", "bulk.yaml", "--key", key});
    ASSERT_EQ(submitted.code, 0) << submitted;
  };
  const auto db = Db::Open(cluster.db(), Db::Mode::kReadOnly);
  ASSERT_TRUE(db.ok()) << Message(db.status());
  {
    auto reader = ReadTransaction::Begin(**db);
    ASSERT_TRUE(reader.ok()) << Message(reader.status());
    ASSERT_EQ((*db)->QueryInt("SELECT count(*) FROM sweeps").value_or(-1), 0);
    int64_t before = 0;
    for (int i = 0; wal() < (18 << 20) || before == 0; ++i) {
      ASSERT_LT(i, 20);
      before = wal();
      ASSERT_NO_FATAL_FAILURE(bulk(fmt::format("held-{}", i)));
      ASSERT_GT(wal(), before) << "the reader keeps the log from starting over";
    }
    const std::string sweep = cluster.Submit(kFaultSweep);
    ASSERT_TRUE(cluster.AwaitFinished(sweep));
    cluster.ExpectIntact(sweep);
    EXPECT_EQ(cluster.RankCsv(sweep), FaultFreeCsv(kFaultSweep));
    EXPECT_EQ((*db)->QueryInt("SELECT count(*) FROM sweeps").value_or(-1), 0)
        << "and reads what was when it began";
  }
  const int64_t held = wal();
  for (int i = 0; i < 2; ++i) ASSERT_NO_FATAL_FAILURE(bulk(fmt::format("free-{}", i)));
  EXPECT_LE(wal(), held + (8 << 20)) << "the log starts over";
}

}  // namespace
}  // namespace gridsweep
