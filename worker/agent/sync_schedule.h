// When the worker calls Sync: one call at a time, at once when there is news, else when the coordinator asked for it, and with
// jittered back-off while the coordinator is away.
#pragma once

#include <cstdint>
#include <optional>

#include "absl/time/time.h"
#include "common/base/backoff.h"

namespace gridsweep::agent {

// Decisions only. Not thread-safe. `now` is monotonic and never goes back.
class SyncSchedule {
 public:
  // The first call is due at `now`.
  SyncSchedule(BackoffPolicy retry, absl::Duration now) : retry_(retry), next_(now) {}

  // When the next call is due; InfiniteDuration while one is in flight. `has_news`: there is something to tell.
  absl::Duration Next(absl::Duration now, bool has_news) const;
  // One goes out. Returns its number, counted from 1. One of the next three has to follow.
  uint64_t Begin();
  // The coordinator asks for a call after `next_call`, and for none because of news before `news` is over. Whatever it asks
  // for: neither a hot loop nor silence.
  void Answered(absl::Duration now, absl::Duration next_call, absl::Duration news);
  // `jitter` in [0, 1).
  void Failed(absl::Duration now, double jitter);
  // It was cancelled. False if that was not because of Drain: then it has failed.
  bool CutShort(absl::Duration now);

  // The worker is to end: what is in flight is to be cancelled, and a last call is due, whatever back-off there was.
  void Drain(absl::Duration now);

  bool was_answered() const { return was_answered_; }  // ever
  bool is_last() const { return last_in_flight_; }     // the call in flight was begun after Drain
  bool last_was_answered() const { return last_was_answered_; }
  int failures_since_drain() const { return drain_failures_; }
  // Since when all calls have failed; nullopt: the last one did not.
  std::optional<absl::Duration> away_since() const { return away_since_; }

 private:
  const BackoffPolicy retry_;

  uint64_t calls_ = 0;
  bool in_flight_ = false;
  bool was_answered_ = false;
  int failures_ = 0;  // in a row
  std::optional<absl::Duration> away_since_;
  absl::Duration next_;
  absl::Duration news_from_ = -absl::InfiniteDuration();  // news may be told

  bool draining_ = false;
  bool cut_short_ = false;  // by Drain
  bool last_in_flight_ = false;
  bool last_was_answered_ = false;
  int drain_failures_ = 0;
};

}  // namespace gridsweep::agent
