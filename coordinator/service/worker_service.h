// The workers' gRPC service: every call is one operation on the commit loop, answered after its commit.
// Asynchronous, so that thousands of workers hold no thread.
#pragma once

#include "coordinator/metrics/coordinator_metrics.h"
#include "coordinator/queue/commit_loop.h"
#include "coordinator/service/artifact_service.h"
#include "coordinator/service/call_gate.h"
#include "gridsweep/v1/worker_service.grpc.pb.h"

namespace gridsweep {

// Thread-safe. Nothing passed in is owned; all must outlive the server the service is registered with.
class WorkerService : public v1::WorkerService::CallbackService {
 public:
  WorkerService(CommitLoop* loop, CallGate* gate, CoordinatorMetrics* metrics, const ArtifactParts& artifacts)
      : loop_(loop), gate_(gate), metrics_(metrics), artifacts_(artifacts) {}

  grpc::ServerUnaryReactor* Sync(grpc::CallbackServerContext* context, const v1::SyncRequest* request,
                                 v1::SyncResponse* response) override;
  grpc::ServerReadReactor<v1::PutArtifactRequest>* PutArtifact(grpc::CallbackServerContext* context,
                                                               v1::PutArtifactResponse* response) override {
    return ReceiveArtifact(artifacts_, context, response);
  }
  grpc::ServerWriteReactor<v1::ArtifactChunk>* GetArtifact(grpc::CallbackServerContext* context,
                                                           const v1::GetArtifactRequest* request) override {
    return SendArtifact(artifacts_, context, *request);
  }
  grpc::ServerUnaryReactor* OfferSampleImages(grpc::CallbackServerContext* context,
                                              const v1::OfferSampleImagesRequest* request,
                                              v1::OfferSampleImagesResponse* response) override;

 private:
  CommitLoop* const loop_;
  CallGate* const gate_;
  CoordinatorMetrics* const metrics_;
  const ArtifactParts artifacts_;
};

}  // namespace gridsweep
