// The workers' gRPC service: every call is one operation on the commit loop, answered after its commit.
// Asynchronous, so that thousands of workers hold no thread.
#pragma once

#include "coordinator/metrics/coordinator_metrics.h"
#include "coordinator/queue/commit_loop.h"
#include "coordinator/service/call_gate.h"
#include "gridsweep/v1/worker_service.grpc.pb.h"

namespace gridsweep {

// Thread-safe. Nothing passed in is owned; all must outlive the server the service is registered with.
class WorkerService : public v1::WorkerService::CallbackService {
 public:
  WorkerService(CommitLoop* loop, CallGate* gate, CoordinatorMetrics* metrics)
      : loop_(loop), gate_(gate), metrics_(metrics) {}

  grpc::ServerUnaryReactor* Sync(grpc::CallbackServerContext* context, const v1::SyncRequest* request,
                                 v1::SyncResponse* response) override;

 private:
  CommitLoop* const loop_;
  CallGate* const gate_;
  CoordinatorMetrics* const metrics_;
};

}  // namespace gridsweep
