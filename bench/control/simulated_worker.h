// A worker without trainers: what it is leased makes progress with the clock, and is reported as a real worker reports
// it. For loading a coordinator with more workers than there are machines.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "absl/time/time.h"
#include "gridsweep/v1/worker_service.pb.h"

namespace gridsweep::bench {

struct SimulatedWorkerOptions {
  std::string name;
  std::string dataset;  // it claims to have
  int slots = 8;
  int epochs = 10;       // of each job
  absl::Duration epoch;  // how long each takes on average; from job to job it varies by 30 % either way
};

// Deterministic: `now` comes in. Not thread-safe.
class SimulatedWorker {
 public:
  explicit SimulatedWorker(SimulatedWorkerOptions options);

  // What it has to say at `now`. REQUIRES: the request before was answered or has failed.
  v1::SyncRequest TakeSync(absl::Duration now);
  void OnAnswer(const v1::SyncResponse& answer, absl::Duration now);
  // The call failed: everything is said again, after a worker's back-off. `unit`: random in [0, 1).
  void OnError(absl::Duration now, double unit);

  // When it calls next: with news as soon as the coordinator wants to hear them, else when it was told to.
  absl::Duration due() const { return due_; }
  int64_t epochs_stored() const { return epochs_stored_; }
  int64_t jobs_done() const { return jobs_done_; }
  // Times that epochs of an attempt were stored: one or several at once.
  int64_t reports() const { return reports_; }

 private:
  struct Attempt {
    std::string token;
    int64_t bundle = 0;
    absl::Duration begin;
    absl::Duration epoch;  // how long each takes
    uint64_t stored = 0;   // events up to here are stored: 1 started, then an epoch each, then the end
  };

  // Events of an attempt that have happened by `now`.
  uint64_t Happened(const Attempt& attempt, absl::Duration now) const;
  absl::Duration TimeOf(const Attempt& attempt, uint64_t seq) const;
  uint64_t LastSeq() const { return static_cast<uint64_t>(options_.epochs) + 2; }
  void FillEvent(int64_t id, uint64_t seq, v1::AttemptEvent& event) const;
  int FreeSlots(absl::Duration now) const;
  void PlanNext(absl::Duration now, absl::Duration next_call, absl::Duration news);

  const SimulatedWorkerOptions options_;
  const std::string session_;
  std::map<int64_t, Attempt> attempts_;
  uint64_t sync_seq_ = 0;
  bool send_info_ = true;
  int failures_ = 0;  // in a row
  absl::Duration due_ = absl::ZeroDuration();
  int64_t epochs_stored_ = 0;
  int64_t jobs_done_ = 0;
  int64_t reports_ = 0;
};

}  // namespace gridsweep::bench
