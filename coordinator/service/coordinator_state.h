// What a coordinator is doing now, as its metrics and its health check see it.
#pragma once

#include "absl/time/time.h"
#include "coordinator/metrics/coordinator_metrics.h"
#include "coordinator/queue/commit_loop.h"
#include "coordinator/store/store_reader.h"

namespace gridsweep {

// "quarantined", "working" or "idle" for a worker that was heard within the lease; "left" or "lost" for others, which have no
// `live`.
std::string WorkerState(const WorkerStatusRecord& record, const LiveWorker* live);

// Whether the one thread that writes answers, and can write, within `patience`. UNAVAILABLE, saying why not. OK without a
// `loop`: there is nothing to write then.
absl::Status CheckWriter(CommitLoop* loop, absl::Duration patience);

// Reads the store and asks the writer, for at most `patience`: what only it knows is left out when it does not answer. `loop`
// may be null.
absl::StatusOr<CoordinatorState> TakeState(CommitLoop* loop, StoreReader& reader, absl::Duration patience);

}  // namespace gridsweep
