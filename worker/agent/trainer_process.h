// One trainer as a child process: commands in, event lines out, its end as text.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "common/base/status.h"
#include "worker/agent/agent_core.h"

namespace gridsweep::agent {

// The wait status of a child as text: "exit status 3", "killed by SIGSEGV", "killed by SIGKILL (out of
// memory?)".
std::string DescribeExit(int wait_status);

// A running child in its own process group, so that a Ctrl-C meant for the worker does not reach it. It ends
// by itself when its stdin ends, thus also when this process is killed. The kernel's out-of-memory killer
// prefers it to us.
//
// stdout and stderr are always drained: a flood neither stalls the child nor fills our memory. One thread a
// process does all of its I/O and makes the callbacks.
class TrainerProcess {
 public:
  struct Callbacks {
    std::function<void(std::string_view line)> on_line;    // of stdout, without the newline
    std::function<void(const TrainerExit& exit)> on_exit;  // once, after the last line
  };
  static constexpr size_t kMaxLineBytes = 16 << 20;  // a longer line of stdout costs the child its life

  // Starts `argv` (argv[0] is a path). Returns NOT_FOUND or PERMISSION_DENIED if it cannot be executed.
  static absl::StatusOr<std::unique_ptr<TrainerProcess>> Start(const std::vector<std::string>& argv,
                                                               Callbacks callbacks);
  // Kills the process group if it is still there and waits for the thread: no callback runs afterwards.
  ~TrainerProcess();
  TrainerProcess(const TrainerProcess&) = delete;
  TrainerProcess& operator=(const TrainerProcess&) = delete;

  // Thread-safe, never block; no effect after the exit.
  void Write(std::string_view text);  // to stdin
  void CloseInput();                  // once everything written has gone out: asks the child to end
  void Kill();                        // SIGKILL to its process group
  pid_t pid() const { return pid_; }

 private:
  TrainerProcess(pid_t pid, int pid_fd, int in, int out, int err, int wake, Callbacks callbacks);
  void Run();
  void FlushInput();
  void DrainOutput();
  void DrainErrors();
  void Wake();
  void Reap();
  void CloseFd(int& fd);

  // Immutable after construction.
  const pid_t pid_;
  const int pid_fd_;
  const int wake_;  // eventfd
  const Callbacks callbacks_;

  // Used by the thread alone.
  int in_, out_, err_;
  std::string unwritten_;
  std::string killed_by_us_;

  std::mutex mu_;
  std::string input_;         // guarded by mu_
  bool close_input_ = false;  // guarded by mu_
  bool reaped_ = false;       // guarded by mu_: pid_ may belong to another process

  struct Streams;
  std::unique_ptr<Streams> streams_;
  std::thread thread_;
};

}  // namespace gridsweep::agent
