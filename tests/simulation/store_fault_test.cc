// The store on a disk that fails at the first write, the second, the third, …
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <random>

#include "common/catalog/catalog.h"
#include "common/sweep/sweep_spec.h"
#include "coordinator/store/migrate.h"
#include "coordinator/store/sqlite_db.h"
#include "coordinator/store/sqlite_store.h"
#include "tests/simulation/fault_disk.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace gridsweep {
namespace embedded {
extern const std::string_view kSchema0001;
}  // namespace embedded

namespace {

constexpr char kSweep[] = "name: x\ndataset: tiny\ntraining: {epochs: 2}\nseeds: [1]\ngrid: {model: mlp}\n";
const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

enum class End { kProcess, kMachine };

int64_t CountOf(const std::string& file, const char* sql) {
  const auto db = Db::Open(file, Db::Mode::kReadOnly);
  return db.ok() ? (*db)->QueryInt(sql).value_or(-1) : -1;
}

// What a coordinator does for one job, a transaction after the other. Returns how many were acknowledged.
class Workload {
 public:
  explicit Workload(Store& store) : store_(store) {}

  int Run() {
    const SweepSpec spec = ParseSweep(kSweep, "x.yaml", Catalog::Builtin(), {}).value();
    const Grid grid(spec);
    if (!Done(store_.SubmitSweep({"key", "hash", kSweep, false}, spec, grid, Catalog::Builtin(), kNow)
                  .status()))
      return done_;
    const auto worker =
        store_.UpsertWorker({.name = "alice", .session = "s", .devices_json = "[]", .slots = 1}, kNow);
    if (!Done(worker.status())) return done_;
    const auto claimed = store_.ClaimJobs({.worker = *worker, .limit = 1, .datasets = {"tiny"}, .now = kNow});
    if (!Done(claimed.status())) return done_;
    const OpenAttempt& attempt = claimed->at(0).attempt;
    if (!Done(store_.RecordStarted(attempt.attempt, attempt.token, 1,
                                   {"tiny", std::string(64, 'a'), {"x"}, 1, 1}, "cpu", "e", 0)))
      return done_;
    EpochMetrics epoch;
    for (epoch.epoch = 1; epoch.epoch <= 2; ++epoch.epoch) {
      epoch.test_accuracy = epoch.val_accuracy.emplace(0.5);
      if (!Done(store_.RecordEpochs(attempt.attempt, attempt.token, static_cast<uint64_t>(epoch.epoch) + 1,
                                    {&epoch, 1})))
        return done_;
    }
    AttemptEnd end;
    end.state = AttemptState::kSucceeded;
    end.job_state = JobState::kSucceeded;
    end.now = end.not_before = kNow;
    Done(store_.EndAttempt(attempt.attempt, attempt.token, 4, end));
    return done_;
  }
  static constexpr int kSteps = 7;

 private:
  bool Done(const absl::Status& status) {
    done_ += status.ok() ? 1 : 0;
    return status.ok();
  }
  Store& store_;
  int done_ = 0;
};

// What is stored must be what was acknowledged, or one step more: the answer may have been lost with the process.
void ExpectStored(const std::string& file, int acknowledged, const std::string& where) {
  constexpr const char* kEvidence[Workload::kSteps] = {
      "SELECT count(*) FROM jobs",
      "SELECT count(*) FROM workers",
      "SELECT count(*) FROM attempts",
      "SELECT count(*) FROM datasets",
      "SELECT count(*) >= 1 FROM epochs",
      "SELECT count(*) = 2 FROM epochs",
      "SELECT count(*) FROM jobs WHERE state = 'succeeded'",
  };
  for (int step = 0; step < Workload::kSteps; ++step) {
    const int64_t there = CountOf(file, kEvidence[step]);
    if (step < acknowledged) {
      EXPECT_EQ(there, 1) << where << ": step " << step << " was acknowledged and is lost";
    }
    if (step > acknowledged) {
      EXPECT_EQ(there, 0) << where << ": step " << step << " was never begun";
    }
  }
}

TEST(StoreFault, WhateverWriteIsTheLastWhatWasAcknowledgedIsThere) {
  for (const End end : {End::kProcess, End::kMachine}) {
    int acknowledged = 0;
    for (int64_t writes = 1; acknowledged < Workload::kSteps; ++writes) {
      ASSERT_LT(writes, 1000);
      const TempDir dir;
      const std::string file = dir / "x.db";
      FaultDisk disk;
      std::mt19937_64 random(static_cast<uint64_t>(writes));
      {
        auto files = OpenSqliteStore(file, {.vfs = disk.vfs()});
        ASSERT_THAT(files, IsOk());
        disk.DieAfter(writes);
        acknowledged = Workload(*files->store).Run();
        disk.DieAfter(0);
      }
      disk.Revive();
      if (end == End::kMachine) {
        disk.LoseUnsynced(random);
        unlink((file + "-shm").c_str());
      }
      const std::string where =
          fmt::format("{} after {} writes", end == End::kMachine ? "power lost" : "killed", writes);
      {
        const auto files = OpenSqliteStore(file, {.vfs = disk.vfs()});
        ASSERT_THAT(files, IsOk()) << where;
      }
      ASSERT_NO_FATAL_FAILURE(ExpectStored(file, acknowledged, where));
      EXPECT_EQ(CountOf(file, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"), 1)
          << where;
    }
  }
}

TEST(StoreFault, AnInterruptedMigrationLeavesTheOldSchemaOrTheNew) {
  const TempDir dir;
  const std::string old = dir / "old.db";
  {
    const auto db = Db::Open(old, Db::Mode::kReadWrite);
    ASSERT_THAT(db, IsOk());
    ASSERT_THAT((*db)->Execute(std::string(embedded::kSchema0001).c_str()), IsOk());
    ASSERT_THAT((*db)->Execute(
                    fmt::format("PRAGMA application_id={}; PRAGMA user_version=1", kApplicationId).c_str()),
                IsOk());
  }
  bool migrated = false;
  for (int64_t writes = 1; !migrated; ++writes) {
    ASSERT_LT(writes, 2000);
    const TempDir copy;
    const std::string file = copy / "x.db";
    std::filesystem::copy_file(old, file);
    FaultDisk disk;
    std::mt19937_64 random(static_cast<uint64_t>(writes));
    disk.DieAfter(writes);
    {
      const auto files = OpenSqliteStore(file, {.vfs = disk.vfs()});
      migrated = files.ok() && !disk.is_dead();
      disk.DieAfter(0);
    }
    disk.Revive();
    disk.LoseUnsynced(random);
    unlink((file + "-shm").c_str());
    // Who only reads cannot undo what was cut short before the file came to write-ahead logging.
    const bool cut_short = std::filesystem::exists(file + "-journal");
    const int64_t version = CountOf(file, "PRAGMA user_version");
    EXPECT_TRUE(cut_short || version == 1 || version == SchemaVersion())
        << version << " after " << writes << " writes";
    EXPECT_THAT(OpenSqliteStore(file, {.vfs = disk.vfs()}), IsOk()) << "after " << writes << " writes";
    EXPECT_EQ(CountOf(file, "PRAGMA user_version"), SchemaVersion());
    EXPECT_EQ(CountOf(file + ".schema-1.bak", "PRAGMA user_version"), 1) << "the old one is kept";
  }
}

TEST(StoreFault, AFullDiskIsTroubleUntilThereIsSpace) {
  const TempDir dir;
  FaultDisk disk;
  auto files = OpenSqliteStore(dir / "x.db", {.vfs = disk.vfs()});
  ASSERT_THAT(files, IsOk());
  const WorkerRecord alice{.name = "alice", .session = "s", .devices_json = "[]", .slots = 1};
  disk.Set(FaultDisk::Fault::kFull);
  EXPECT_THAT(files->store->UpsertWorker(alice, kNow),
              StatusIs(absl::StatusCode::kResourceExhausted, testing::_));
  ASSERT_TRUE(files->store->Trouble().has_value());
  EXPECT_FALSE(files->store->Trouble()->needs_restart);
  disk.Set(FaultDisk::Fault::kNone);
  EXPECT_THAT(files->store->UpsertWorker(alice, kNow), IsOk());
  EXPECT_FALSE(files->store->Trouble().has_value());
}

TEST(StoreFault, AfterAFailedSyncNothingIsAcknowledgedUntilARestart) {
  const TempDir dir;
  FaultDisk disk;
  auto files = OpenSqliteStore(dir / "x.db", {.vfs = disk.vfs()});
  ASSERT_THAT(files, IsOk());
  const WorkerRecord alice{.name = "alice", .session = "s", .devices_json = "[]", .slots = 1};
  disk.Set(FaultDisk::Fault::kSyncError);
  EXPECT_FALSE(files->store->UpsertWorker(alice, kNow).ok());
  disk.Set(FaultDisk::Fault::kNone);
  EXPECT_FALSE(files->store->UpsertWorker(alice, kNow).ok())
      << "the kernel may have dropped what it could not write";
  ASSERT_TRUE(files->store->Trouble().has_value());
  EXPECT_TRUE(files->store->Trouble()->needs_restart);
}

}  // namespace
}  // namespace gridsweep
