#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <filesystem>

#include "common/base/json.h"
#include "coordinator/store/file_lock.h"
#include "coordinator/store/migrate.h"
#include "coordinator/store/sqlite_db.h"
#include "tests/contract/store/store_fixture.h"

namespace gridsweep {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::SizeIs;

using SqliteOpenTest = SqliteFileTest;

std::unique_ptr<Db> RawDb(const std::string& path) {
  return Db::Open(path, Db::Mode::kReadWrite).value();
}

TEST_F(SqliteOpenTest, CreatesAWalDatabaseOfOurs) {
  Open();
  const std::unique_ptr<Db> db = Db::Open(path_, Db::Mode::kReadOnly).value();
  EXPECT_EQ(db->QueryInt("PRAGMA application_id").value(), kApplicationId);
  EXPECT_EQ(db->QueryInt("PRAGMA user_version").value(), SchemaVersion());
  Statement mode = db->Query("PRAGMA journal_mode").value();
  ASSERT_TRUE(mode.Step().value());
  EXPECT_EQ(mode.Text(0), "wal");
}

TEST_F(SqliteOpenTest, SecondCoordinatorIsRefusedNamingTheFirst) {
  Open();
  EXPECT_THAT(OpenSqliteStore(path_),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr(fmt::format("pid {}", getpid()))));
  ASSERT_THAT(PublishAddress(s_->store(), "127.0.0.1:4711"), IsOk());
  EXPECT_THAT(OpenSqliteStore(path_),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("at 127.0.0.1:4711")));
  std::filesystem::create_symlink(path_, folder_ / "other-name.db");
  EXPECT_THAT(OpenSqliteStore(folder_ / "other-name.db"),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("pid")));
  Close();
  EXPECT_THAT(OpenSqliteStore(path_), IsOk());
}

TEST_F(SqliteOpenTest, LockFileSaysWhoHoldsIt) {
  EXPECT_EQ(ReadLockFile(path_ + ".lock").pid, 0);
  EXPECT_FALSE(IsLockHeld(path_ + ".lock"));
  Open();
  ASSERT_THAT(PublishAddress(s_->store(), "127.0.0.1:4711"), IsOk());
  EXPECT_EQ(ReadFile(path_ + ".lock"),
            fmt::format("{{\"address\":\"127.0.0.1:4711\",\"pid\":{}}}\n", getpid()));
  EXPECT_TRUE(IsLockHeld(path_ + ".lock"));
  ASSERT_THAT(PublishAddress(s_->store(), "a:1", true), IsOk());
  EXPECT_EQ(ReadLockFile(path_ + ".lock").address, "a:1");
  EXPECT_TRUE(ReadLockFile(path_ + ".lock").secure);
  Close();
  EXPECT_EQ(ReadFile(path_ + ".lock"), "");
  EXPECT_FALSE(IsLockHeld(path_ + ".lock"));
}

TEST_F(SqliteOpenTest, StaleLockFileOfADeadCoordinatorIsNoObstacle) {
  WriteFile(path_ + ".lock", "{\"address\":\"127.0.0.1:1\",\"pid\":1}\n");
  Open();
  EXPECT_EQ(ReadLockFile(path_ + ".lock").pid, getpid());
}

TEST_F(SqliteOpenTest, NewerSchemaIsRefusedUntouched) {
  Open();
  Close();
  ASSERT_THAT(RawDb(path_)->Execute("PRAGMA user_version=99; PRAGMA wal_checkpoint(TRUNCATE)"), IsOk());
  const std::string before = ReadFile(path_);
  const auto refused = StatusIs(absl::StatusCode::kFailedPrecondition,
                                AllOf(HasSubstr("schema version 99"), HasSubstr(path_)));
  EXPECT_THAT(OpenSqliteStore(path_), refused);
  EXPECT_THAT(OpenSqliteStoreReadOnly(path_), refused);
  EXPECT_EQ(ReadFile(path_), before);
}

TEST_F(SqliteOpenTest, ForeignDatabaseIsRefusedUntouched) {
  ASSERT_THAT(RawDb(path_)->Execute("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)"), IsOk());
  const std::string before = ReadFile(path_);
  const auto refused = StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("another application"));
  EXPECT_THAT(OpenSqliteStore(path_), refused);
  EXPECT_THAT(OpenSqliteStoreReadOnly(path_), refused);
  EXPECT_EQ(ReadFile(path_), before);
}

TEST_F(SqliteOpenTest, FileThatIsNoDatabaseIsRefusedUntouched) {
  const std::string junk = "name: a sweep file, given to --db by mistake\n" + std::string(4096, '#');
  WriteFile(path_, junk);
  const auto refused = StatusIs(absl::StatusCode::kDataLoss, HasSubstr("not a gridsweep database"));
  EXPECT_THAT(OpenSqliteStore(path_), refused);
  EXPECT_THAT(OpenSqliteStoreReadOnly(path_), refused);
  EXPECT_EQ(ReadFile(path_), junk);
}

TEST_F(SqliteOpenTest, CorruptDatabaseIsRefused) {
  Open();
  for (int i = 0; i < 20; ++i) s_->Submit(kSmallSweep, fmt::format("key-{}", i));
  Close();
  std::string bytes = ReadFile(path_);
  ASSERT_GT(bytes.size(), 40'960u);
  for (size_t page = 2; page < bytes.size() / 4096; ++page)
    bytes.replace(page * 4096, 200, std::string(200, '\xA5'));
  WriteFile(path_, bytes);
  EXPECT_THAT(OpenSqliteStore(path_),
              StatusIs(absl::StatusCode::kDataLoss, AllOf(HasSubstr("is damaged"), HasSubstr(path_))));
  EXPECT_EQ(ReadFile(path_), bytes);
}

TEST_F(SqliteOpenTest, TruncatedDatabaseIsRefusedUntouchedSayingWhatToDo) {
  Open();
  for (int i = 0; i < 20; ++i) s_->Submit(kSmallSweep, fmt::format("key-{}", i));
  Close();
  const std::string bytes = ReadFile(path_);
  for (const size_t size : {size_t{4096}, size_t{40'000}, bytes.size() - 4096}) {
    WriteFile(path_, bytes.substr(0, size));
    const auto refused =
        StatusIs(absl::StatusCode::kDataLoss,
                 AllOf(HasSubstr(fmt::format("'{}' is damaged", path_)), HasSubstr("restore a copy"),
                       HasSubstr(fmt::format("sqlite3 '{}' .recover", path_)),
                       testing::Not(HasSubstr("not a gridsweep"))));
    EXPECT_THAT(OpenSqliteStore(path_), refused) << size;
    EXPECT_THAT(OpenSqliteStoreReadOnly(path_), refused) << size;
    EXPECT_EQ(ReadFile(path_), bytes.substr(0, size));
  }
}

TEST_F(SqliteOpenTest, NetworkFileSystemIsRefusedBeforeAnythingIsMade) {
  for (const int64_t type : {0x6969L, 0xFF534D42L, 0x01021997L, 0x65735546L}) {
    StoreOptions options;
    options.file_system_type = [type](const std::string&) { return absl::StatusOr<int64_t>(type); };
    EXPECT_THAT(OpenSqliteStore(path_, options),
                StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("local disk")));
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
}

TEST_F(SqliteOpenTest, MissingFolderAndFolderAsFileAreNamed) {
  EXPECT_THAT(OpenSqliteStore(folder_ / "no/such.db"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("no/such.db")));
  EXPECT_THAT(OpenSqliteStore(folder_.path()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("not a file")));
}

TEST_F(SqliteOpenTest, ReadOnlyNeedsAnExistingDatabase) {
  EXPECT_THAT(OpenSqliteStoreReadOnly(path_), StatusIs(absl::StatusCode::kNotFound, HasSubstr(path_)));
  EXPECT_FALSE(std::filesystem::exists(path_));
  WriteFile(path_, "");
  EXPECT_THAT(OpenSqliteStoreReadOnly(path_),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("empty")));
}

TEST_F(SqliteOpenTest, ReadOnlyWorksBesideACoordinatorAndWithoutOne) {
  Open();
  const SweepId id = s_->Submit();
  ASSERT_OK_AND_ASSIGN(StoreFiles beside, OpenSqliteStoreReadOnly(path_));
  EXPECT_EQ(beside.store, nullptr);
  EXPECT_EQ(beside.reader->GetSweep(id)->jobs.pending, 8);
  s_->ClaimOne();
  EXPECT_EQ(beside.reader->GetSweep(id)->jobs.running, 1);
  Close();
  EXPECT_EQ(beside.reader->GetSweep(id)->jobs.running, 1);
  ASSERT_OK_AND_ASSIGN(StoreFiles alone, OpenSqliteStoreReadOnly(path_));
  EXPECT_EQ(alone.reader->GetSweep(id)->jobs.running, 1);
}

TEST_F(SqliteOpenTest, LoneFileWithoutItsWalIsReadable) {
  Open();
  const SweepId id = s_->Submit();
  Close();
  std::filesystem::create_directory(folder_ / "copy");
  std::filesystem::copy_file(path_, folder_ / "copy/test.db");
  ASSERT_OK_AND_ASSIGN(StoreFiles copy, OpenSqliteStoreReadOnly(folder_ / "copy/test.db"));
  EXPECT_EQ(copy.reader->GetSweep(id)->jobs.pending, 8) << "a clean close leaves everything in the main file";
}

// What a killed process leaves: whatever is in the files at that moment, committed in the WAL or not yet anywhere.
TEST_F(SqliteOpenTest, FilesOfAKilledCoordinatorHoldAllThatWasCommitted) {
  Open();
  const SweepId id = s_->Submit();
  const std::vector<ClaimedJob> jobs = s_->Claim(2);
  s_->Succeed(jobs[0].attempt, {0.5, 0.6, 0.7});
  ASSERT_THAT(s_->TryEpoch(jobs[1].attempt, 1, MakeEpoch(1, 0.5)), IsOk());
  ASSERT_THAT(s_->store().BeginBatch(), IsOk());
  ASSERT_THAT(s_->TryEpoch(jobs[1].attempt, 2, MakeEpoch(2, 0.6)), IsOk());
  const std::string copy = folder_ / "crashed/test.db";
  std::filesystem::create_directory(folder_ / "crashed");
  std::filesystem::copy_file(path_, copy);
  std::filesystem::copy_file(path_ + "-wal", copy + "-wal");
  ASSERT_THAT(s_->store().CommitBatch(), IsOk());

  ASSERT_OK_AND_ASSIGN(StoreFiles files, OpenSqliteStore(copy));
  StoreHarness restarted(std::move(files), &clock_);
  EXPECT_EQ(restarted.Sweep(id).jobs.succeeded, 1);
  EXPECT_EQ(restarted.Job(jobs[0].attempt.job).job.objective, 0.7);
  EXPECT_THAT(restarted.Job(jobs[1].attempt.job).epochs, SizeIs(1)) << "the open batch is gone";
  EXPECT_THAT(restarted.TryEpoch(jobs[1].attempt, 2, MakeEpoch(2, 0.6)), IsOk()) << "and can be sent again";
  const std::unique_ptr<Db> db = Db::Open(copy, Db::Mode::kReadOnly).value();
  Statement check = db->Query("PRAGMA integrity_check").value();
  ASSERT_TRUE(check.Step().value());
  EXPECT_EQ(check.Text(0), "ok");
}

TEST_F(SqliteOpenTest, TheWalIsBoundedWithoutReaders) {
  Open();
  s_->Submit();
  const OpenAttempt attempt = s_->ClaimOne();
  uint64_t seq = 0;
  for (int batch = 0; batch < 60; ++batch) {
    ASSERT_THAT(s_->store().BeginBatch(), IsOk());
    for (int i = 0; i < 10; ++i) s_->Submit(kSmallSweep, fmt::format("key-{}-{}", batch, i));
    for (int i = 0; i < 100; ++i) {
      ++seq;
      ASSERT_THAT(s_->TryEpoch(attempt, seq, MakeEpoch(static_cast<int64_t>(seq), 0.5)), IsOk());
    }
    ASSERT_THAT(s_->store().CommitBatch(), IsOk());
  }
  EXPECT_LT(std::filesystem::file_size(path_ + "-wal"), 20u << 20);
  Close();
  EXPECT_EQ(std::filesystem::file_size(path_ + "-wal"), 0u);
}

}  // namespace
}  // namespace gridsweep
