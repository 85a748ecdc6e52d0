#include "coordinator/queue/batch_runner.h"

namespace gridsweep {
namespace {

BatchRunner::Outcome Lost(const absl::Status& why, const char* what, size_t operations) {
  BatchRunner::Outcome outcome;
  outcome.commit = why;
  outcome.results.assign(operations, Unavailable("{}: {}", what, Message(why)));
  return outcome;
}

}  // namespace

BatchRunner::Outcome BatchRunner::Run(const std::vector<Operation>& operations, const Instant& now) {
  Outcome outcome = RunAndCommit(operations, now);
  outcome.trouble = store_->Trouble();
  return outcome;
}

BatchRunner::Outcome BatchRunner::RunAndCommit(const std::vector<Operation>& operations, const Instant& now) {
  if (reload_) {
    if (const absl::Status loaded = queue_->Load(*reader_, now); !loaded.ok())
      return Lost(loaded, "the store cannot be read", operations.size());
    reload_ = false;
  }
  constexpr char kCannotWrite[] = "the store cannot write now";
  if (const absl::Status begun = store_->BeginBatch(); !begun.ok())
    return Lost(begun, kCannotWrite, operations.size());
  Outcome outcome;
  for (const Operation& operation : operations) outcome.results.push_back(operation(*queue_, now));
  outcome.leases = queue_->Tick(now);
  outcome.commit = store_->CommitBatch();
  if (!outcome.commit.ok()) {
    reload_ = true;
    return Lost(outcome.commit, kCannotWrite, operations.size());
  }
  outcome.departures = queue_->TakeDepartures();
  return outcome;
}

}  // namespace gridsweep
