// The attempts a worker holds, and their events until the coordinator has acknowledged them.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "worker/agent/sync_messages.h"
#include "worker/agent/trainer_events.h"

namespace gridsweep::agent {

enum class AttemptPhase {
  kFetching,  // it takes up its slot, and waits for the checkpoint that it is to go on from
  kRunning,   // its trainer works on it
  kStopping,  // the coordinator took it back: forgotten, but its trainer has not let go of the slot yet
  kFinished,  // over; kept until its last event is acknowledged
};

struct Attempt {
  int64_t id = 0;
  std::string token;
  int64_t job = 0;
  int64_t bundle = 0;  // attempts of one bundle share a slot; 0: alone
  size_t device = 0;   // index into the worker's devices
  std::string dataset;
  AttemptPhase phase = AttemptPhase::kRunning;
  int64_t epoch = 0;
  double fraction = 0;
  std::deque<std::string> checkpoints;  // SHA-256 of its last ones, oldest first
  std::optional<TrainerFile> model;     // with kFinished: of a success
  absl::Duration last_sign;             // monotonic time of its last event
  absl::Duration stop_since;            // with kStopping
  uint64_t next_seq = 1;
  uint64_t sent_seq = 0;            // events up to here were in a request
  std::deque<AttemptEvent> events;  // not acknowledged, ascending seq
};

// A plain container with bookkeeping. Not thread-safe.
class AttemptBook {
 public:
  // REQUIRES: no attempt of that id is held.
  Attempt& Add(const Lease& lease, size_t device, absl::Duration now);
  Attempt* Find(int64_t id);  // nullptr if not held; valid until the attempt is erased
  void Erase(int64_t id) { attempts_.erase(id); }
  // Appends an event; AttemptFinished moves the attempt to kFinished.
  void Record(Attempt& attempt, EventBody body);
  // Drops events up to stored.seq, and the attempt once its last event is dropped; then returns it. Ignores unknown
  // attempts.
  std::optional<Attempt> Acknowledge(const StoredSeq& stored);

  // Every attempt counts as having given a sign of life, or as told to stop, now.
  void RestartTimers(absl::Duration now);

  // Everything not forgotten, in order of id.
  std::vector<HeldAttempt> Held(const std::vector<Device>& devices) const;
  // Unacknowledged events, oldest attempts first, about `budget` bytes of them (at least one event). Marks
  // them as sent.
  std::vector<AttemptEvents> TakeEvents(size_t budget);
  bool HasUnsent() const;
  bool HasUnacknowledged() const;

  // Slots of the device that are taken: by attempts that wait, run or stop, those of one bundle together by one.
  int Occupied(size_t device) const;
  // Attempts that its trainer knows and has not let go of.
  int OnDevice(size_t device) const;
  // Attempts that take up the slot of `attempt`, itself included.
  int InSlotOf(const Attempt& attempt) const;
  // A sign of life of a bundle counts for all its attempts: after the common epochs one branch trains while the others wait.
  void NoteSign(const Attempt& attempt, absl::Duration now);
  std::vector<int64_t> InPhase(size_t device, AttemptPhase phase) const;
  const std::map<int64_t, Attempt>& all() const { return attempts_; }

 private:
  std::map<int64_t, Attempt> attempts_;
};

}  // namespace gridsweep::agent
