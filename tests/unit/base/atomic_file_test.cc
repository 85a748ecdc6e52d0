#include "common/base/atomic_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <set>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace gridsweep {
namespace {

using absl::StatusCode;
using testing::_;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class AtomicFileTest : public testing::Test {
 protected:
  std::set<std::string> Names() const {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(dir_.path()))
      names.insert(entry.path().filename());
    return names;
  }
  AtomicFile New(Existing existing) const { return AtomicFile::Create(path_, 0600, existing).value(); }
  static mode_t ModeOf(const std::string& path) {
    struct stat info {};
    EXPECT_EQ(stat(path.c_str(), &info), 0) << path;
    return info.st_mode & 0777;
  }

  const TempDir dir_;
  const std::string path_ = dir_ / "file";
};

TEST_F(AtomicFileTest, AppearsWhenItIsWhole) {
  AtomicFile file = New(Existing::kKeep);
  ASSERT_THAT(file.Write("one\n"), IsOk());
  ASSERT_THAT(file.Write(std::string("t\0o\n", 4)), IsOk());
  EXPECT_THAT(Names(), ElementsAre(StartsWith("file" + std::string(kUnfinished))));
  ASSERT_THAT(file.Finish(), IsOk());
  EXPECT_THAT(Names(), ElementsAre("file"));
  EXPECT_EQ(ReadFile(path_), std::string("one\nt\0o\n", 8));
}

TEST_F(AtomicFileTest, AppearsWithTheMove) {
  {
    AtomicFile file = New(Existing::kReplace);
    ASSERT_THAT(file.Write("bytes"), IsOk());
    ASSERT_THAT(file.Sync(), IsOk());
    EXPECT_THAT(Names(), ElementsAre(HasSubstr(kUnfinished)));
    ASSERT_THAT(file.Move(), IsOk());
    EXPECT_THAT(SyncFolderOf(path_), IsOk());
  }
  EXPECT_THAT(Names(), ElementsAre("file"));
}

TEST_F(AtomicFileTest, LeavesNothingWhenItIsGivenUp) {
  {
    AtomicFile file = New(Existing::kKeep);
    const AtomicFile moved = std::move(file);
    EXPECT_EQ(Names().size(), 1U);
  }
  EXPECT_THAT(Names(), IsEmpty());
}

TEST_F(AtomicFileTest, ReplacesWhenToldTo) {
  WriteFile(path_, "old and long");
  AtomicFile file = New(Existing::kReplace);
  ASSERT_THAT(file.Write("new"), IsOk());
  EXPECT_EQ(ReadFile(path_), "old and long");
  ASSERT_THAT(file.Finish(), IsOk());
  EXPECT_EQ(ReadFile(path_), "new");
  EXPECT_THAT(Names(), ElementsAre("file"));
}

TEST_F(AtomicFileTest, KeepsWhatHasTheNameAlready) {
  WriteFile(path_, "old");
  EXPECT_THAT(AtomicFile::Create(path_, 0600, Existing::kKeep),
              StatusIs(StatusCode::kAlreadyExists, HasSubstr(path_)));
  std::filesystem::remove(path_);
  std::filesystem::create_symlink(dir_ / "nowhere", path_);
  EXPECT_THAT(AtomicFile::Create(path_, 0600, Existing::kKeep), StatusIs(StatusCode::kAlreadyExists, _));
  EXPECT_THAT(Names(), ElementsAre("file"));
}

TEST_F(AtomicFileTest, KeepsWhatTakesTheNameMeanwhile) {
  {
    AtomicFile file = New(Existing::kKeep);
    ASSERT_THAT(file.Write("late"), IsOk());
    WriteFile(path_, "first");
    EXPECT_THAT(file.Finish(), StatusIs(StatusCode::kAlreadyExists, HasSubstr(path_)));
  }
  EXPECT_EQ(ReadFile(path_), "first");
  EXPECT_THAT(Names(), ElementsAre("file"));
}

TEST_F(AtomicFileTest, HasTheModeLessTheUmask) {
  const mode_t before = umask(027);
  for (const auto& [mode, expected] : {std::pair<mode_t, mode_t>(0600, 0600), {0666, 0640}}) {
    for (const Existing existing : {Existing::kKeep, Existing::kReplace}) {
      const std::string path = dir_ / fmt::format("{:o}-{}", mode, static_cast<int>(existing));
      ASSERT_OK_AND_ASSIGN(AtomicFile file, AtomicFile::Create(path, mode, existing));
      ASSERT_THAT(file.Finish(), IsOk());
      EXPECT_EQ(ModeOf(path), expected) << path;
    }
  }
  umask(before);
}

TEST_F(AtomicFileTest, NeedsItsFolder) {
  const std::string path = dir_ / "absent/file";
  EXPECT_THAT(AtomicFile::Create(path, 0600, Existing::kKeep),
              StatusIs(StatusCode::kNotFound, HasSubstr(path)));
  EXPECT_THAT(SyncFolderOf(path), StatusIs(StatusCode::kNotFound, HasSubstr(path)));
  AtomicFile file = New(Existing::kReplace);
  std::filesystem::remove_all(dir_.path());
  EXPECT_THAT(file.Finish(), StatusIs(StatusCode::kNotFound, _)) << "gone meanwhile";
}

TEST_F(AtomicFileTest, AFolderIsNotReplaced) {
  std::filesystem::create_directory(path_);
  EXPECT_FALSE(New(Existing::kReplace).Finish().ok());
  EXPECT_THAT(Names(), ElementsAre("file"));
}

TEST_F(AtomicFileTest, WithoutRoomItLeavesNothing) {
  WriteFile(path_, "old");
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto signal_before = std::signal(SIGXFSZ, SIG_IGN);
  {
    AtomicFile file = New(Existing::kReplace);
    const rlimit limit{.rlim_cur = 1 << 16, .rlim_max = before.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
    const absl::Status within = file.Write(std::string(1 << 15, 'x'));
    const absl::Status beyond = file.Write(std::string(1 << 16, 'x'));  // its first half finds room
    setrlimit(RLIMIT_FSIZE, &before);
    EXPECT_THAT(within, IsOk());
    EXPECT_THAT(beyond, StatusIs(StatusCode::kInternal, HasSubstr("cannot write '" + path_ + "'")));
  }
  std::signal(SIGXFSZ, signal_before);
  EXPECT_THAT(Names(), ElementsAre("file"));
  EXPECT_EQ(ReadFile(path_), "old");
}

TEST_F(AtomicFileTest, SyncsTheWorkingFolderForABareName) {
  EXPECT_THAT(SyncFolderOf("name"), IsOk());
  EXPECT_THAT(SyncFolderOf("/name"), IsOk());
}

}  // namespace
}  // namespace gridsweep
