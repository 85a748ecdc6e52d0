// Sync's plain values ⇄ messages.
#pragma once

#include "gridsweep/v1/worker_service.pb.h"
#include "worker/agent/sync_messages.h"

namespace gridsweep::agent {

v1::SyncRequest ToProto(const SyncRequest& request);
SyncResponse FromProto(const v1::SyncResponse& response);

}  // namespace gridsweep::agent
