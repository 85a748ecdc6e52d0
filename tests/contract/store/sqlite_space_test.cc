// No space left: nothing is lost, nothing false is acknowledged, and work goes on when there is space again.
#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>

#include "coordinator/store/sqlite_db.h"
#include "tests/contract/store/store_fixture.h"

namespace gridsweep {
namespace {

using testing::HasSubstr;

class SqliteSpaceTest : public SqliteFileTest {
 protected:
  // Stores epochs until that fails; returns how many are stored.
  int64_t FillWithEpochs(const OpenAttempt& attempt, absl::Status* error) {
    for (int64_t number = 1; number < 200'000; ++number) {
      *error = s_->TryEpoch(attempt, static_cast<uint64_t>(number), MakeEpoch(number, 0.5));
      if (!error->ok()) return number - 1;
    }
    ADD_FAILURE() << "the disk did not fill up";
    return 0;
  }
};

TEST_F(SqliteSpaceTest, LimitOfPagesIsLikeAFullDisk) {
  Open({.clock = &clock_, .max_pages = 64, .file_system_type = {}});
  const SweepId id = s_->Submit();
  const OpenAttempt attempt = s_->ClaimOne();
  absl::Status error;
  const int64_t stored = FillWithEpochs(attempt, &error);
  EXPECT_THAT(error, StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("full")));
  EXPECT_EQ(static_cast<int64_t>(s_->Job(attempt.job).epochs.size()), stored);
  Close();
  Open();
  EXPECT_THAT(s_->TryEpoch(attempt, static_cast<uint64_t>(stored) + 1, MakeEpoch(stored + 1, 0.5)), IsOk());
  EXPECT_EQ(s_->Sweep(id).jobs.running, 1);
}

TEST_F(SqliteSpaceTest, BatchThatDoesNotFitIsUndoneWhole) {
  Open({.clock = &clock_, .max_pages = 64, .file_system_type = {}});
  s_->Submit();
  const OpenAttempt attempt = s_->ClaimOne();
  ASSERT_THAT(s_->store().BeginBatch(), IsOk());
  absl::Status error;
  FillWithEpochs(attempt, &error);
  EXPECT_THAT(error, StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("full")));
  const absl::Status commit = s_->store().CommitBatch();
  const size_t stored = s_->Job(attempt.job).epochs.size();
  if (!commit.ok()) {
    EXPECT_EQ(stored, 0u);
  }
  EXPECT_EQ(s_->store().GetAttempt(attempt.attempt, attempt.token)->attempt.stored_seq, stored)
      << "what is acknowledged is what is stored";
  EXPECT_THAT(s_->store().TouchWorkers({WorkerId{1}}, At(50)), IsOk()) << "the store is usable afterwards";
}

// A file system of its own, as small as a test needs it.
class TinyDiskTest : public SqliteSpaceTest {
 protected:
  void SetUp() override {
    if (geteuid() != 0 || mount("tmpfs", folder_.path().c_str(), "tmpfs", 0, "size=700k") != 0) {
      GTEST_SKIP() << "needs the right to mount a tmpfs";
    }
    mounted_ = true;
  }
  void TearDown() override {
    s_.reset();
    if (mounted_) umount2(folder_.path().c_str(), MNT_DETACH);
  }
  bool mounted_ = false;
};

TEST_F(TinyDiskTest, WritesResumeWhenThereIsSpaceAgain) {
  Open();
  const SweepId id = s_->Submit();
  const OpenAttempt attempt = s_->ClaimOne();
  absl::Status error;
  const int64_t stored = FillWithEpochs(attempt, &error);
  EXPECT_THAT(error, StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("full")));
  EXPECT_EQ(static_cast<int64_t>(s_->Job(attempt.job).epochs.size()), stored);
  EXPECT_THAT(s_->TryEpoch(attempt, static_cast<uint64_t>(stored) + 1, MakeEpoch(stored + 1, 0.5)),
              StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("full")))
      << "still full";
  ASSERT_EQ(mount("tmpfs", folder_.path().c_str(), "tmpfs", MS_REMOUNT, "size=16m"), 0);
  ASSERT_THAT(s_->TryEpoch(attempt, static_cast<uint64_t>(stored) + 1, MakeEpoch(stored + 1, 0.5)), IsOk());
  Close();
  Open();
  EXPECT_EQ(static_cast<int64_t>(s_->Job(attempt.job).epochs.size()), stored + 1);
  EXPECT_EQ(s_->Sweep(id).jobs.running, 1);
}

TEST_F(TinyDiskTest, NoRoomToCreateADatabase) {
  WriteFile(folder_ / "ballast", std::string(690'000, 'x'));
  EXPECT_THAT(OpenSqliteStore(path_), StatusIs(absl::StatusCode::kResourceExhausted, HasSubstr("")));
  std::filesystem::remove(folder_ / "ballast");
  EXPECT_THAT(OpenSqliteStore(path_), IsOk());
}

}  // namespace
}  // namespace gridsweep
