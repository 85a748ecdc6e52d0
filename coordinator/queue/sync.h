// What a worker says and what it is answered, free of messages and sockets: the domain form of the Sync RPC.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "common/base/ids.h"
#include "common/job/metrics.h"
#include "common/job/retry_policy.h"
#include "coordinator/store/store.h"

namespace gridsweep {

struct AttemptStarted {
  DatasetInfo dataset;
  std::string device;
  std::string environment;
  int64_t resumed_epoch = 0;  // of the checkpoint that training goes on from; 0: from scratch
};

struct AttemptFinished {
  AttemptState outcome = AttemptState::kFailed;  // kSucceeded, kDiverged, kFailed or kPreempted
  Evaluation evaluation;
  std::string error;
  std::string stderr_tail;
  bool retryable = true;
  bool retry_alone = false;      // its trainer died while it trained several jobs
  std::string unusable_dataset;  // with kPreempted: the data set the worker could not find or read
};

struct AttemptEvent {
  uint64_t seq = 0;  // 1, 2, 3, … within the attempt
  std::variant<AttemptStarted, EpochMetrics, AttemptFinished> what;
};

struct AttemptEvents {
  AttemptId attempt;
  std::string token;
  std::vector<AttemptEvent> events;
};

// An attempt the worker holds, with its place in training for the live view.
struct HeldAttempt {
  AttemptId attempt;
  std::string token;
  std::string device;
  int64_t epoch = 0;
  double epoch_fraction = 0;
};

struct WorkerInfo {
  WorkerRecord record;
  std::vector<std::string> datasets;
};

struct SyncInput {
  std::string worker;
  std::string session;
  uint64_t sync_seq = 0;
  std::optional<WorkerInfo> info;
  std::vector<HeldAttempt> held;
  std::vector<AttemptEvents> events;
  int64_t room = 0;      // free slots; a bundle takes one
  bool leaving = false;  // ends as soon as all it has to report is stored
};

struct SyncOutput {
  std::vector<std::pair<AttemptId, uint64_t>> stored;
  std::vector<AttemptId> stop;
  std::vector<ClaimedJob> leases;
  absl::Duration next_call;  // without news, after this answer
  absl::Duration news;       // news should wait this long
  absl::Duration lease;
  bool send_info = false;
};

}  // namespace gridsweep
