#include "cli/process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace gridsweep {
namespace {

using ::testing::HasSubstr;

constexpr absl::Duration kLong = absl::Seconds(30);

ProcessSpec Shell(const std::string& script, const std::string& log = "") {
  return {.argv = {"/bin/sh", "-c", script}, .log_path = log, .capture_stdout = true};
}

TEST(Process, CapturesLinesAndTheExitCode) {
  ASSERT_OK_AND_ASSIGN(const auto process, Process::Start(Shell("echo one; echo two; exit 3")));
  EXPECT_EQ(*process->ReadLine(kLong), "one");
  EXPECT_EQ(*process->ReadLine(kLong), "two");
  EXPECT_THAT(process->ReadLine(kLong), StatusIs(absl::StatusCode::kUnavailable, testing::_));
  ASSERT_TRUE(process->WaitFor(kLong));
  EXPECT_EQ(process->ExitCode(), 3);
  EXPECT_EQ(process->EndDescription(), "exited with code 3");
}

TEST(Process, AMissingProgramIsNotFound) {
  EXPECT_THAT(Process::Start({.argv = {"/no/such/program"}}),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("/no/such/program")));
}

TEST(Process, AProgramThatCannotBeExecutedIsAnErrorHere) {
  const TempDir dir;
  WriteFile(dir / "garbage",
            "\x7f"
            "ELF but not really");
  std::filesystem::permissions(dir / "garbage", std::filesystem::perms::owner_all);
  EXPECT_FALSE(Process::Start({.argv = {dir / "garbage"}}).ok());
}

TEST(Process, ASignalEndsItAndIsNamed) {
  ASSERT_OK_AND_ASSIGN(const auto process, Process::Start(Shell("echo ready; exec sleep 100")));
  ASSERT_OK_AND_ASSIGN(const std::string line, process->ReadLine(kLong));
  EXPECT_FALSE(process->HasEnded());
  process->Signal(SIGTERM);
  ASSERT_TRUE(process->WaitFor(kLong));
  EXPECT_EQ(process->EndDescription(), "killed by SIGTERM");
  EXPECT_EQ(process->ExitCode(), std::nullopt);
}

TEST(Process, ItsEndTakesTheWholeGroupAlong) {
  pid_t grandchild = 0;
  {
    ASSERT_OK_AND_ASSIGN(const auto process, Process::Start(Shell("sleep 100 & echo $!; wait")));
    grandchild = std::stoi(*process->ReadLine(kLong));
    ASSERT_EQ(kill(grandchild, 0), 0);
  }
  // Killed, and reaped by init soon after; a zombie's state is Z.
  const absl::Time deadline = absl::Now() + kLong;
  const std::string stat = "/proc/" + std::to_string(grandchild) + "/stat";
  const auto runs = [&] {
    const std::string text = ReadFile(stat);
    return !text.empty() && text.find(") Z") == std::string::npos;
  };
  while (runs() && absl::Now() < deadline) absl::SleepFor(absl::Milliseconds(5));
  EXPECT_FALSE(runs()) << "process " << grandchild << " still runs";
}

TEST(Process, StandardErrorIsAppendedToItsLog) {
  const TempDir dir;
  WriteFile(dir / "log", "before\n");
  ASSERT_OK_AND_ASSIGN(const auto process, Process::Start(Shell("echo oops >&2", dir / "log")));
  ASSERT_TRUE(process->WaitFor(kLong));
  EXPECT_EQ(ReadFile(dir / "log"), "before\noops\n");
  EXPECT_EQ(LogTail(dir / "log", 1), "\n  oops");
  EXPECT_EQ(LogTail(dir / "log", 9), "\n  before\n  oops");
  EXPECT_EQ(LogTail(dir / "absent", 9), "");
}

TEST(Process, WaitingForALineHasALimit) {
  ASSERT_OK_AND_ASSIGN(const auto process, Process::Start(Shell("exec sleep 100")));
  EXPECT_THAT(process->ReadLine(absl::Milliseconds(1)),
              StatusIs(absl::StatusCode::kDeadlineExceeded, testing::_));
}

}  // namespace
}  // namespace gridsweep
