#include "worker/trainer/checkpoint_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <set>

#include "common/base/atomic_file.h"
#include "common/base/sha256.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace gridsweep {
namespace {

using absl::StatusCode;
using testing::_;
using testing::HasSubstr;

class CheckpointFolderTest : public ::testing::Test {
 protected:
  std::string PathOf(const std::string& sha256) const { return dir_ / sha256 + ".safetensors"; }

  std::set<std::string> Names() const {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(dir_.path()))
      names.insert(entry.path().filename().string());
    return names;
  }

  // The wait status of a process that does `work`.
  static int InAnotherProcess(const std::function<void()>& work) {
    const pid_t pid = fork();
    if (pid == 0) {
      const rlimit none = {0, 0};
      setrlimit(RLIMIT_CORE, &none);
      work();
      _exit(0);
    }
    int status = 0;
    EXPECT_EQ(waitpid(pid, &status, 0), pid);
    return status;
  }

  // Files stop growing at `bytes`.
  static void LimitFiles(rlim_t bytes) {
    const rlimit limit = {bytes, bytes};
    setrlimit(RLIMIT_FSIZE, &limit);
  }

  const TempDir dir_;
  const CheckpointFolder folder_ = CheckpointFolder::Open(dir_.path()).value();
  const std::string large_ = std::string(1 << 20, 'x');
};

TEST_F(CheckpointFolderTest, GivesBackWhatWasPut) {
  const std::string bytes("one\0two", 7);
  ASSERT_OK_AND_ASSIGN(const StoredFile stored, folder_.Put(bytes));
  EXPECT_EQ(stored.sha256, Sha256Hex(bytes));
  EXPECT_EQ(stored.bytes, 7);
  EXPECT_EQ(ReadFile(PathOf(stored.sha256)), bytes);
  ASSERT_OK_AND_ASSIGN(const std::string read, folder_.Get(stored.sha256));
  EXPECT_EQ(read, bytes);
  EXPECT_THAT(folder_.Put(bytes), IsOk()) << "a second time";
  EXPECT_EQ(Names().size(), 1U);
}

TEST_F(CheckpointFolderTest, ADamagedFileIsNoCheckpoint) {
  const std::string bytes = "some bytes";
  const std::string sha256 = folder_.Put(bytes)->sha256;
  for (const std::string& other :
       {std::string("some bytez"), std::string("some byte"), bytes + "s", std::string()}) {
    WriteFile(PathOf(sha256), other);
    EXPECT_THAT(folder_.Get(sha256), StatusIs(StatusCode::kDataLoss, HasSubstr("damaged"))) << other;
  }
  EXPECT_THAT(folder_.Put(bytes), IsOk()) << "mends it";
  EXPECT_THAT(folder_.Get(sha256), IsOk());
}

TEST_F(CheckpointFolderTest, OnlyNamesOfContentArePaths) {
  WriteFile(dir_ / "secret.safetensors", "secret");
  const std::string upper(64, 'A');
  for (const std::string& name :
       {std::string("secret"), std::string(), std::string("../secret"), upper, std::string(63, 'a')})
    EXPECT_THAT(folder_.Get(name), StatusIs(StatusCode::kInvalidArgument, HasSubstr("64 hex"))) << name;
  const std::string absent(64, 'a');
  EXPECT_THAT(folder_.Get(absent), StatusIs(StatusCode::kNotFound, HasSubstr(absent)));
  std::filesystem::create_directory(PathOf(absent));
  EXPECT_THAT(folder_.Get(absent), StatusIs(StatusCode::kDataLoss, _));
  // Nobody ever writes to it: it must not be waited for.
  const std::string pipe(64, 'b');
  ASSERT_EQ(mkfifo(PathOf(pipe).c_str(), 0600), 0);
  EXPECT_THAT(folder_.Get(pipe), StatusIs(StatusCode::kDataLoss, _));
}

TEST_F(CheckpointFolderTest, AKillWhileWritingLeavesNoCheckpoint) {
  // The kernel kills it when half of the file is written.
  const int status = InAnotherProcess([&] {
    LimitFiles(large_.size() / 2);
    std::signal(SIGXFSZ, SIG_DFL);
    folder_.Put(large_).IgnoreError();
  });
  ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ) << status;
  ASSERT_EQ(Names().size(), 1U) << "the half";
  EXPECT_THAT(*Names().begin(), HasSubstr(kUnfinished));
  EXPECT_THAT(folder_.Get(Sha256Hex(large_)), StatusIs(StatusCode::kNotFound, _));

  // Its next start may be soon or, another writer being at work, not the only one.
  EXPECT_THAT(CheckpointFolder::Open(dir_.path()), IsOk());
  EXPECT_EQ(Names().size(), 1U) << "may still be written";
  std::filesystem::last_write_time(dir_ / *Names().begin(),
                                   std::filesystem::file_time_type::clock::now() - std::chrono::hours(2));
  const std::string kept = folder_.Put("kept")->sha256;
  std::filesystem::last_write_time(PathOf(kept),
                                   std::filesystem::file_time_type::clock::now() - std::chrono::hours(2));
  EXPECT_THAT(CheckpointFolder::Open(dir_.path()), IsOk());
  EXPECT_EQ(Names(), std::set<std::string>{kept + ".safetensors"});
}

TEST_F(CheckpointFolderTest, AKillBeforeTheRenameLeavesNoCheckpoint) {
  WriteFile(PathOf(Sha256Hex(large_)) + ".part-ab12cd34", large_);  // whole, and not yet named
  EXPECT_THAT(folder_.Get(Sha256Hex(large_)), StatusIs(StatusCode::kNotFound, _));
  EXPECT_THAT(folder_.Put(large_), IsOk());
  EXPECT_THAT(folder_.Get(Sha256Hex(large_)), IsOk());
}

TEST_F(CheckpointFolderTest, AFullDiskLeavesNothing) {
  const int status = InAnotherProcess([&] {
    LimitFiles(large_.size() / 2);
    std::signal(SIGXFSZ, SIG_IGN);
    _exit(folder_.Put(large_).ok() ? 1 : 0);
  });
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(Names().empty());
}

// Whenever it is killed: what has the name of a checkpoint is one.
TEST_F(CheckpointFolderTest, AKilledWritersFilesAreWhole) {
  for (int round = 0; round < 10; ++round) {
    const pid_t pid = fork();
    if (pid == 0) {
      for (int i = 0;; ++i) folder_.Put(fmt::format("{} {} ", round, i) + large_).IgnoreError();
    }
    const size_t before = Names().size();
    while (Names().size() < before + 1 + static_cast<size_t>(round % 3)) {
      ASSERT_EQ(waitpid(pid, nullptr, WNOHANG), 0) << "it ended by itself";
    }
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
  }
  int whole = 0;
  for (const std::string& name : Names()) {
    if (name.find(kUnfinished) != std::string::npos) continue;
    ASSERT_THAT(name, testing::EndsWith(".safetensors"));
    EXPECT_THAT(folder_.Get(name.substr(0, name.find('.'))), IsOk());
    ++whole;
  }
  EXPECT_GT(whole, 0);
}

TEST_F(CheckpointFolderTest, MakesItsFolder) {
  const std::string path = dir_ / "state/checkpoints";
  ASSERT_OK_AND_ASSIGN(const CheckpointFolder folder, CheckpointFolder::Open(path));
  EXPECT_THAT(folder.Put("x"), IsOk());
  EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms::owner_all);
  EXPECT_THAT(CheckpointFolder::Open(path + "/"), IsOk());
  WriteFile(dir_ / "file", "");
  EXPECT_THAT(CheckpointFolder::Open(dir_ / "file"),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("no folder")));
  EXPECT_FALSE(CheckpointFolder::Open(dir_ / "file/below").ok());
}

TEST_F(CheckpointFolderTest, AFolderThatIsGoneIsAnError) {
  std::filesystem::remove_all(dir_.path());
  EXPECT_FALSE(folder_.Put("x").ok());
  EXPECT_THAT(folder_.Get(std::string(64, 'a')), StatusIs(StatusCode::kNotFound, _));
}

}  // namespace
}  // namespace gridsweep
