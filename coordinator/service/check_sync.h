// How large the parts of a Sync may be.
#pragma once

#include "common/base/status.h"
#include "gridsweep/v1/worker_service.pb.h"

namespace gridsweep {

// INVALID_ARGUMENT naming the field, its size and the limit. The limits are far beyond what our worker sends; they are here for
// others, so that one message cannot fill the database or stall the writer.
absl::Status CheckSizes(const v1::SyncRequest& request);

}  // namespace gridsweep
