// The life of a job: states, events and the one table of legal transitions. The SQL schema repeats it as
// CHECKs.
#pragma once

#include <optional>
#include <string_view>

#include "common/base/status.h"

namespace gridsweep {

enum class JobState {
  kPending,    // waits for a worker, perhaps until a back-off has passed
  kRunning,    // exactly one attempt holds its lease
  kSucceeded,  // has a result
  kDiverged,   // has a result: loss or parameters became non-finite; never retried, ranked last
  kFailed,     // a limit of losses or failures was reached
  kCancelled,  // by a user
};
inline constexpr JobState kAllJobStates[] = {JobState::kPending,  JobState::kRunning, JobState::kSucceeded,
                                             JobState::kDiverged, JobState::kFailed,  JobState::kCancelled};
std::string_view JobStateName(JobState state);  // "pending", …
absl::StatusOr<JobState> ParseJobState(std::string_view name);

enum class JobEvent {
  kLeased,    // a worker took it
  kReturned,  // its lease ended without a result and it may be tried again
  kRevived,   // the holder of an expired lease that nobody took came back
  kSucceeded,
  kDiverged,
  kExhausted,  // its lease ended without a result and a limit is reached
  kCancelled,
  kRetriedByUser,  // `gridsweep retry`: failed and cancelled jobs start anew with fresh counters
};

struct JobTransition {
  JobState from;
  JobEvent event;
  JobState to;
};

inline constexpr JobTransition kJobTransitions[] = {
    {JobState::kPending, JobEvent::kLeased, JobState::kRunning},
    {JobState::kPending, JobEvent::kRevived, JobState::kRunning},
    {JobState::kPending, JobEvent::kCancelled, JobState::kCancelled},
    {JobState::kRunning, JobEvent::kReturned, JobState::kPending},
    {JobState::kRunning, JobEvent::kSucceeded, JobState::kSucceeded},
    {JobState::kRunning, JobEvent::kDiverged, JobState::kDiverged},
    {JobState::kRunning, JobEvent::kExhausted, JobState::kFailed},
    {JobState::kRunning, JobEvent::kCancelled, JobState::kCancelled},
    {JobState::kFailed, JobEvent::kRetriedByUser, JobState::kPending},
    {JobState::kCancelled, JobEvent::kRetriedByUser, JobState::kPending},
};

// The state after `event`, or nullopt if the table has no such row.
constexpr std::optional<JobState> NextState(JobState from, JobEvent event) {
  for (const JobTransition& row : kJobTransitions) {
    if (row.from == from && row.event == event) return row.to;
  }
  return std::nullopt;
}

// Nothing but a user's retry leaves these.
constexpr bool IsTerminal(JobState state) {
  return state != JobState::kPending && state != JobState::kRunning;
}
// These carry a result and never change.
constexpr bool HasResult(JobState state) {
  return state == JobState::kSucceeded || state == JobState::kDiverged;
}

static_assert(!NextState(JobState::kSucceeded, JobEvent::kRetriedByUser), "a result never changes");
static_assert(!NextState(JobState::kDiverged, JobEvent::kRetriedByUser), "a result never changes");
static_assert(!NextState(JobState::kPending, JobEvent::kSucceeded), "only a lease holder reports results");

}  // namespace gridsweep
