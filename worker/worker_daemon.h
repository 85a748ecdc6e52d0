// The worker's composition root, used by main and by tests.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/rpc/endpoint.h"
#include "worker/agent/worker_agent.h"

namespace gridsweep {

struct WorkerConfig {
  Endpoint coordinator;
  std::string name;                    // empty: <hostname>-<8 hex digits>
  std::string devices = "auto";        // "auto", "cpu", "cuda:0,cuda:1"
  int slots = 0;                       // per device; 0: one per core on the CPU, one on others
  std::vector<std::string> data_dirs;  // empty: the default ones
  std::string trainer;                 // path; empty: gridsweep-trainer beside this program
  absl::Duration hang_timeout = absl::Seconds(300);
  std::string checkpoints;  // folder; empty: DefaultCheckpoints
  bool no_checkpoints = false;
  std::optional<double> checkpoint_interval;  // seconds; none: the trainer's own
};

// The folder for a worker of this name: below $XDG_STATE_HOME or ~/.local/state. Empty without a home.
std::string DefaultCheckpoints(const std::string& worker);

// Looks at the machine, starts the trainers, and keeps calling the coordinator until told to stop. Whether
// the coordinator answers does not matter here. `clock` is not owned. Returns INVALID_ARGUMENT for a bad
// name, device or address, NOT_FOUND if there is no such trainer program or device, and with devices "auto" the error of
// a trainer that cannot say what devices there are. The system's error if the folder for checkpoints cannot be made. As ConnectTo for files of the endpoint that cannot be used.
absl::StatusOr<std::unique_ptr<agent::WorkerAgent>> StartWorkerDaemon(const WorkerConfig& config,
                                                                      const Clock* clock);

}  // namespace gridsweep
