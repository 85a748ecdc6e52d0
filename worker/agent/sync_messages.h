// What a worker and the coordinator tell each other in a Sync, as plain values. The wire form is
// proto/gridsweep/v1/worker_service.proto; worker/agent/convert.h translates.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "common/job/metrics.h"

namespace gridsweep::agent {

struct Device {
  std::string name;   // "cpu", "cuda:0"
  std::string model;  // "AMD EPYC 7B13"; empty until its trainer has said so
  int64_t memory_bytes = 0;
  int slots = 1;  // jobs it trains at a time
  friend bool operator==(const Device&, const Device&) = default;
};

struct WorkerInfo {
  std::string host;
  int64_t pid = 0;
  int64_t memory_bytes = 0;
  std::vector<Device> devices;
  std::string version;
  std::string libtorch_version;  // empty until a trainer has said hello
  std::vector<std::string> datasets;
  friend bool operator==(const WorkerInfo&, const WorkerInfo&) = default;
};

struct AttemptStarted {
  DatasetInfo dataset;
  std::string device;
  std::string environment;
  int64_t resumed_epoch = 0;  // of the checkpoint that training goes on from; 0: from scratch
};

enum class Outcome { kSucceeded, kDiverged, kFailed, kPreempted };

struct AttemptFinished {
  Outcome outcome = Outcome::kFailed;
  Evaluation evaluation;    // with kSucceeded
  std::string error;        // one line; with kPreempted the reason
  std::string stderr_tail;  // with kFailed
  bool retryable = true;    // with kFailed
  // With kPreempted: its trainer died while it trained several jobs; the guilty one shows when each runs alone.
  bool retry_alone = false;
  bool data_unusable = false;    // with kFailed: the trainer could not find or read the data set
  std::string unusable_dataset;  // with kPreempted for that reason: its name
};

using EventBody = std::variant<AttemptStarted, EpochMetrics, AttemptFinished>;

struct AttemptEvent {
  uint64_t seq = 0;  // 1, 2, 3, … within the attempt
  EventBody body;
};

struct HeldAttempt {
  int64_t attempt = 0;
  std::string token;
  std::string device;
  int64_t epoch = 0;          // being trained
  double epoch_fraction = 0;  // of its batches, 0 to 1
};

struct AttemptEvents {
  int64_t attempt = 0;
  std::string token;
  std::vector<AttemptEvent> events;  // in order of seq
};

struct SyncRequest {
  std::string worker;
  std::string session;
  uint64_t sync_seq = 0;
  std::optional<WorkerInfo> info;  // with the first request, after a change and when asked for
  std::vector<HeldAttempt> held;
  std::vector<AttemptEvents> events;
  int room = 0;          // free slots; a bundle takes one
  bool leaving = false;  // it drains, and ends as soon as its news is stored
};

struct StoredSeq {
  int64_t attempt = 0;
  uint64_t seq = 0;
};

struct Lease {
  int64_t attempt = 0;
  std::string token;
  int64_t job = 0;
  int64_t sweep = 0;
  std::string job_json;
  int64_t bundle = 0;  // leases of one answer with the same value other than 0 run together in one slot
  std::vector<std::string> checkpoints = {};  // SHA-256 of what it may go on from, best first
};

struct SyncResponse {
  std::vector<StoredSeq> stored;
  std::vector<int64_t> stop;
  std::vector<Lease> leases;
  absl::Duration next_call = absl::Seconds(1);  // without news
  absl::Duration news = absl::ZeroDuration();   // news waits this long
  absl::Duration lease = absl::Seconds(30);
  bool send_info = false;
};

}  // namespace gridsweep::agent
