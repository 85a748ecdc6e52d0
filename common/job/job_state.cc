#include "common/job/job_state.h"

#include "common/catalog/quote.h"

namespace gridsweep {

std::string_view JobStateName(JobState state) {
  switch (state) {
    case JobState::kPending:
      return "pending";
    case JobState::kRunning:
      return "running";
    case JobState::kSucceeded:
      return "succeeded";
    case JobState::kDiverged:
      return "diverged";
    case JobState::kFailed:
      return "failed";
    case JobState::kCancelled:
      return "cancelled";
  }
  return "unknown";
}

absl::StatusOr<JobState> ParseJobState(std::string_view name) {
  for (const JobState state : kAllJobStates) {
    if (JobStateName(state) == name) return state;
  }
  return InvalidArgument(
      "unknown job state {}, expected one of pending, running, succeeded, diverged, failed, cancelled",
      Quoted(name));
}

}  // namespace gridsweep
