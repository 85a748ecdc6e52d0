// The two streams of WorkerService: files of trainers, in and out.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <functional>

#include "common/base/task_thread.h"
#include "coordinator/artifacts/artifact_folder.h"
#include "coordinator/queue/commit_loop.h"
#include "coordinator/store/store.h"
#include "gridsweep/v1/worker_service.pb.h"

namespace gridsweep {

inline constexpr int64_t kArtifactPiece = 256 << 10;

// Not owned; must outlive the server.
struct ArtifactParts {
  CommitLoop* loop = nullptr;
  Store* store = nullptr;  // used on the loop's thread only
  ArtifactFolder* folder = nullptr;
  TaskThread* disk = nullptr;
  std::function<void()> collect = [] {};  // makes room, on the disk thread
};

// Reactors of one call each; they delete themselves. No call holds a thread while it waits: files are read and written on the
// disk thread, the store is asked on the loop's. A call needs a deadline, of at most ten minutes.
grpc::ServerReadReactor<v1::PutArtifactRequest>* ReceiveArtifact(const ArtifactParts& parts,
                                                                 grpc::CallbackServerContext* context,
                                                                 v1::PutArtifactResponse* response);
grpc::ServerWriteReactor<v1::ArtifactChunk>* SendArtifact(const ArtifactParts& parts,
                                                          grpc::CallbackServerContext* context,
                                                          const v1::GetArtifactRequest& request);

}  // namespace gridsweep
