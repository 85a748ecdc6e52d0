// The trainer's protocol (docs/trainer-protocol.md), seen from the worker: event lines to values, commands to
// lines.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/base/json.h"
#include "common/base/status.h"
#include "worker/agent/sync_messages.h"

namespace gridsweep::agent {

inline constexpr int kTrainerProtocol = 3;

struct TrainerHello {
  int protocol = 0;
  std::string version;
  std::string libtorch;
  std::string blas;
  std::string device_model;
  int64_t memory_bytes = 0;
};

struct TrainerProgress {
  int64_t epoch = 0;
  double fraction = 0;
};

// The trainer gave an attempt up: asked to, or because work that it shared with others failed.
struct TrainerStopped {
  std::string error;
  bool retry_alone = false;
};

// The trainer has written a file: a checkpoint after an epoch, or the weights of the objective's epoch.
struct TrainerFile {
  bool is_model = false;
  int64_t epoch = 0;
  std::string sha256;
  int64_t bytes = 0;
};

// A checkpoint that the attempt was to go on from is of no use to it.
struct CheckpointUnusable {
  std::string sha256;
  std::string error;
};

// The trainer did not understand a command.
struct TrainerComplaint {
  std::string error;
};

struct TrainerEvent {
  int64_t attempt = 0;  // 0 for hello and complaint
  std::variant<TrainerHello, AttemptStarted, TrainerProgress, EpochMetrics, AttemptFinished, TrainerStopped,
               TrainerFile, CheckpointUnusable, TrainerComplaint>
      body;
};

// Returns INVALID_ARGUMENT if `line` is not an event of the protocol. Unknown members are ignored.
absl::StatusOr<TrainerEvent> ParseTrainerEvent(std::string_view line);

// What a trainer is to run: an attempt and its job's document.
struct RunItem {
  int64_t attempt = 0;
  Json job;
  std::vector<std::string> resume = {};  // checkpoints to go on from, best first
};
// Returns INVALID_ARGUMENT if `job_json` is not a JSON object.
absl::StatusOr<RunItem> ParseRunItem(int64_t attempt, std::string_view job_json);
// A line with its newline: one job, or several that share epochs. REQUIRES: at least one item.
std::string RunCommand(std::vector<RunItem> items);
std::string StopCommand(int64_t attempt);

// Reads the output of `gridsweep-trainer --list-devices`: a line {"name","model","memory_bytes"} for each device. Slots are
// left at 1. Returns INVALID_ARGUMENT for anything else or if there is no device.
absl::StatusOr<std::vector<Device>> ParseDeviceList(std::string_view text);

}  // namespace gridsweep::agent
