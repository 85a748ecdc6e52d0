// The Sync RPC's messages ⇄ the queue's domain types.
#pragma once

#include "common/base/status.h"
#include "coordinator/queue/sync.h"
#include "gridsweep/v1/worker_service.pb.h"

namespace gridsweep {

// Returns INVALID_ARGUMENT for an event without content, an unknown outcome, or what CheckSizes refuses; FAILED_PRECONDITION for
// another protocol version.
absl::StatusOr<SyncInput> FromProto(const v1::SyncRequest& request);
void ToProto(const SyncOutput& output, v1::SyncResponse* response);

}  // namespace gridsweep
