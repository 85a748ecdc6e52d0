// The workers' gRPC service: every call is one operation on the commit loop, answered after its commit.
// Asynchronous, so that thousands of workers hold no thread.
#pragma once

#include "coordinator/queue/commit_loop.h"
#include "gridsweep/v1/worker_service.grpc.pb.h"

namespace gridsweep {

// Thread-safe. `loop` is not owned and must outlive the server the service is registered with.
class WorkerService : public v1::WorkerService::CallbackService {
 public:
  explicit WorkerService(CommitLoop* loop) : loop_(loop) {}

  grpc::ServerUnaryReactor* Sync(grpc::CallbackServerContext* context, const v1::SyncRequest* request,
                                 v1::SyncResponse* response) override;

 private:
  CommitLoop* const loop_;
};

}  // namespace gridsweep
