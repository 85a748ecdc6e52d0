// A real program run by a test: started, watched, signalled, waited for, and never left behind.
#pragma once

#include <gtest/gtest.h>
#include <sys/types.h>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/wait_until.h"

namespace gridsweep {

// Not thread-safe. Start it from a thread that outlives it.
class TestProcess {
 public:
  struct Options {
    std::string name;               // of the log files, LOG_DIR/NAME.out and .err, which are appended to
    std::vector<std::string> argv;  // argv[0] is a path
    std::map<std::string, std::string> env;  // beside ours
    std::string log_dir;
    std::string work_dir;  // empty: ours
  };

  // Fails the test if the program cannot be executed. It dies with us in whatever way we end.
  explicit TestProcess(Options options);
  // SIGKILL if it still runs.
  ~TestProcess();
  TestProcess(const TestProcess&) = delete;
  TestProcess& operator=(const TestProcess&) = delete;

  const std::string& name() const { return options_.name; }
  pid_t pid() const { return pid_; }
  bool IsRunning();
  // It ended, and nobody here sent it a signal.
  bool DiedByItself() { return !IsRunning() && !signalled_; }

  // To the process alone. SIGSTOP and SIGCONT do not count as the order to end.
  void Signal(int signal);
  // SIGKILL, and waits until it is gone.
  void Kill();
  // Waits for the end. The exit code, or minus the signal that killed it; nullopt, failing the test, after `limit`.
  std::optional<int> Wait(std::chrono::steady_clock::duration limit = kWaitLimit);

  // What it has written so far.
  std::string Out() const;
  std::string Err() const;
  // Name, state and the last lines of both streams, for messages.
  std::string Describe();

 private:
  const Options options_;
  pid_t pid_ = -1;
  std::optional<int> status_;  // exit code or minus signal
  bool signalled_ = false;
};

// The direct children of a process that run now.
std::vector<pid_t> ChildrenOf(pid_t parent);

// Whether a process of that id exists and is not a zombie.
bool IsAlive(pid_t pid);

// The last `lines` lines of `text`.
std::string LastLines(const std::string& text, int lines);

}  // namespace gridsweep
