#include "common/job/retry_policy.h"

#include "common/catalog/quote.h"

namespace gridsweep {

std::string_view AttemptStateName(AttemptState state) {
  switch (state) {
    case AttemptState::kOpen:
      return "open";
    case AttemptState::kSucceeded:
      return "succeeded";
    case AttemptState::kDiverged:
      return "diverged";
    case AttemptState::kFailed:
      return "failed";
    case AttemptState::kLost:
      return "lost";
    case AttemptState::kPreempted:
      return "preempted";
    case AttemptState::kCancelled:
      return "cancelled";
  }
  return "unknown";
}

absl::StatusOr<AttemptState> ParseAttemptState(std::string_view name) {
  for (const AttemptState state : kAllAttemptStates) {
    if (AttemptStateName(state) == name) return state;
  }
  return InvalidArgument(
      "unknown attempt state {}, expected one of open, succeeded, diverged, failed, lost, preempted, "
      "cancelled",
      Quoted(name));
}

RetryDecision DecideRetry(const RetryPolicy& policy, const RetryCounters& counters, AttemptState end,
                          bool retryable, double unit) {
  RetryDecision decision{JobEvent::kReturned, counters, absl::ZeroDuration()};
  switch (end) {
    case AttemptState::kSucceeded:
      decision.event = JobEvent::kSucceeded;
      break;
    case AttemptState::kDiverged:
      decision.event = JobEvent::kDiverged;
      break;
    case AttemptState::kCancelled:
      decision.event = JobEvent::kCancelled;
      break;
    case AttemptState::kPreempted:
      ++decision.counters.preemptions;
      break;
    case AttemptState::kLost:
      ++decision.counters.losses;
      // A lost worker says nothing about the job, so another one may take it at once.
      if (decision.counters.losses >= policy.max_losses) decision.event = JobEvent::kExhausted;
      break;
    case AttemptState::kFailed:
      ++decision.counters.failures;
      if (!retryable || decision.counters.failures >= policy.max_failures) {
        decision.event = JobEvent::kExhausted;
      } else {
        decision.delay = BackoffDelay(policy.backoff, decision.counters.failures - 1, unit);
      }
      break;
    case AttemptState::kOpen:
      break;
  }
  return decision;
}

}  // namespace gridsweep
