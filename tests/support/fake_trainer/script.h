// The controls of the fake trainer: what GRIDSWEEP_FAKE_TRAINER asks it to do, and the faults that need no trainer's state.
//
// Controls: the environment variable GRIDSWEEP_FAKE_TRAINER holds a JSON object (all members optional):
//
//   {"epoch_ms": 0,         milliseconds an epoch takes
//    "gate": "DIR",         epoch K of a job with seed S ends only once DIR/open or DIR/seed-S-epoch-K exists
//    "state_dir": "DIR",    where rules with "times" count across processes: one file per rule and use
//    "log": "FILE",         every command line received and every end of input ("eof") is appended here, and
//                           "finished SEED" when a job succeeds
//    "devices": [{"name":"cuda:0","model":"M","memory_bytes":1}],   answer to --list-devices
//    "list_devices_exit": 3,   --list-devices fails with this exit status instead
//    "checkpoint_interval": 0,   seconds, instead of the flag's
//    "no_hello": true,      never says hello
//    "start_exit": 3,       exits with this status at start, stderr "fake trainer refuses to start"
//    "rules": [{"seed": 7, "model": "cnn", "epoch": 2, "times": 1, "do": "segv"}]}
//
// A rule fires when a job that matches its "seed", "model" and "scheduler" (absent: any) is about to report epoch "epoch"
// (default 1; 0 means at once when the job starts), at most "times" times over all processes (absent: always). "do" is
// one of
//   segv abort kill    the process dies by SIGSEGV, SIGABRT, SIGKILL
//   kill_worker        its parent dies by SIGKILL
//   exit               exits with status 3 after a line on stderr
//   flood_exit         writes "mib" (default 100) MiB to stderr, then a last line "end of flood", and exits with status 3
//   flood              writes "mib" MiB to stderr and carries on
//   flood_stdout       writes "mib" MiB of lines that say nothing to stdout and carries on
//   garbage            prints lines that are not JSON, then carries on
//   endless_line       prints bytes without a newline for ever
//   freeze             the whole process stops reading and writing; it ends when its parent is gone
//   hang               this job gives no sign of life any more (others do); it still answers stop
//   ignore_stop        like hang, and stop is not answered
//   fail               finished, failed, retryable
//   fail_for_good      finished, failed, not retryable
//   diverge            finished, diverged
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "common/base/json.h"
#include "common/base/status.h"

namespace gridsweep {

// Thread-compatible.
class FaultScript {
 public:
  explicit FaultScript(Json script) : script_(std::move(script)) {}
  // From the environment variable; INVALID_ARGUMENT if it is not JSON.
  static absl::StatusOr<FaultScript> FromEnvironment();

  const Json& settings() const { return script_; }

  // Appends to "log", if there is one.
  void Record(const std::string& line) const;
  // Whether the gate lets an epoch of a job with this seed end.
  bool IsOpen(int64_t seed, int64_t epoch) const;

  // The rules that fire for `job` (its document) at `epoch`, in order, each asked for with Next and used up by that.
  // Returns nullptr after the last one.
  const Json* Next(const Json& job, int64_t epoch, size_t& index) const;

 private:
  // Uses up one of the rule's "times". Atomic over all processes.
  bool MayFire(const Json& rule, size_t index) const;

  Json script_;
};

// What becomes of the job after a fault that hit the whole process, if that still lives.
enum class ProcessFault { kNone, kCarryOn };

// Carries out the faults of the whole process: most do not return. kNone if `rule` asks for another kind.
ProcessFault DoToProcess(const Json& rule);

}  // namespace gridsweep
