// Child processes of this machine: gridsweep's own programs beside this one.
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/base/status.h"

namespace gridsweep {

struct ProcessSpec {
  std::vector<std::string> argv;  // argv[0] is the program's path; no shell, no search
  std::string log_path;  // stderr is appended here, and stdout unless it is captured; empty: discarded
  bool capture_stdout = false;
};

// A child in its own process group, so that a Ctrl-C on the terminal reaches us alone and we stop it in
// order. It gets SIGTERM when the thread that started it ends in whatever way. Not thread-safe; start it from
// a thread that lives as long as it should.
class Process {
 public:
  // Returns NOT_FOUND if the program does not exist, INTERNAL if it cannot be started.
  static absl::StatusOr<std::unique_ptr<Process>> Start(const ProcessSpec& spec);
  // Kills the whole group and reaps the child if it still runs.
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }

  // Returns true once the child has ended; then the rest of its group has been killed. Never blocks.
  bool HasEnded();
  // Waits up to `timeout` for the end; returns HasEnded().
  bool WaitFor(absl::Duration timeout);
  // "exited with code 2", "killed by SIGKILL". REQUIRES: HasEnded().
  std::string EndDescription() const;
  // REQUIRES: HasEnded(). Nullopt if it was killed by a signal.
  std::optional<int> ExitCode() const;

  // To the child alone; a no-op once it has ended.
  void Signal(int signal);
  // SIGKILL to the child and all of its group; a no-op once it has ended.
  void KillGroup();

  // Next line of the captured standard output without its end. Returns DEADLINE_EXCEEDED after `timeout`,
  // UNAVAILABLE if the output ended first. Lines over 64 KiB are cut.
  absl::StatusOr<std::string> ReadLine(absl::Duration timeout);
  // Everything up to the end of output, at most 64 KiB.
  absl::StatusOr<std::string> ReadAll(absl::Duration timeout);

 private:
  Process(pid_t pid, int stdout_fd) : pid_(pid), stdout_fd_(stdout_fd) {}
  // Appends what is readable to buffer_; false at the end of output. DEADLINE_EXCEEDED if nothing came.
  absl::StatusOr<bool> Fill(absl::Duration timeout);

  const pid_t pid_;
  const int stdout_fd_;  // -1 if not captured
  std::optional<int> wait_status_;
  std::string buffer_;
};

// The last `lines` lines of a text file, indented by two spaces and printable; empty if it cannot be read.
std::string LogTail(const std::string& path, int lines);

}  // namespace gridsweep
