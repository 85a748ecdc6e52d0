// How an attempt can end, and what then becomes of its job. Pure.
#pragma once

#include <string_view>

#include "absl/time/time.h"
#include "common/base/backoff.h"
#include "common/job/job_state.h"

namespace gridsweep {

// Why an attempt is over. `kOpen` is the one that is not.
enum class AttemptState {
  kOpen,
  kSucceeded,
  kDiverged,
  kFailed,     // the trainer reported an error, crashed, was killed or hung
  kLost,       // the worker vanished: lease expired, or the worker restarted
  kPreempted,  // handed back: drain, SIGTERM, walltime
  kCancelled,
};
inline constexpr AttemptState kAllAttemptStates[] = {
    AttemptState::kOpen, AttemptState::kSucceeded, AttemptState::kDiverged, AttemptState::kFailed,
    AttemptState::kLost, AttemptState::kPreempted, AttemptState::kCancelled};
std::string_view AttemptStateName(AttemptState state);  // "open", "succeeded", …
absl::StatusOr<AttemptState> ParseAttemptState(std::string_view name);

// Never mixed: each has its own limit.
struct RetryCounters {
  int losses = 0;       // worker lost while the job ran
  int failures = 0;     // trainer failures
  int preemptions = 0;  // counted for the record, never held against the job
  friend bool operator==(const RetryCounters&, const RetryCounters&) = default;
};

struct RetryPolicy {
  int max_losses = 5;    // the job fails when this many workers were lost under it
  int max_failures = 3;  // the job fails at this many trainer failures
  BackoffPolicy backoff{absl::Seconds(1), absl::Minutes(2)};
};

struct RetryDecision {
  JobEvent event;  // what happens to the running job
  RetryCounters counters;
  absl::Duration delay;  // before it may be leased again; zero unless event is kReturned after a failure
};

// What becomes of a running job whose attempt ended as `end` (not kOpen). `retryable` false makes a failure
// final at once (a job that no worker can run, e.g. unknown component). `unit` in [0, 1) is the jitter.
RetryDecision DecideRetry(const RetryPolicy& policy, const RetryCounters& counters, AttemptState end,
                          bool retryable, double unit);

}  // namespace gridsweep
