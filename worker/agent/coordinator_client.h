// The worker's end of the connection: one Sync at a time, asynchronous and cancelable.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "absl/time/time.h"
#include "common/base/status.h"
#include "gridsweep/v1/worker_service.grpc.pb.h"
#include "worker/agent/sync_messages.h"

namespace gridsweep::agent {

// Thread-safe.
class CoordinatorClient {
 public:
  static constexpr absl::Duration kDeadline = absl::Seconds(10);

  explicit CoordinatorClient(const std::shared_ptr<grpc::Channel>& channel);
  // Cancels the call in flight and waits for its callback.
  ~CoordinatorClient();
  CoordinatorClient(const CoordinatorClient&) = delete;
  CoordinatorClient& operator=(const CoordinatorClient&) = delete;

  // Calls `done` once, from a thread of gRPC, with the answer or the error (DEADLINE_EXCEEDED after
  // kDeadline). REQUIRES: no call is in flight. `done` must not destroy this client.
  void Sync(const SyncRequest& request, std::function<void(absl::StatusOr<SyncResponse>)> done);
  // Makes the call in flight, if any, end as CANCELLED soon.
  void Cancel();

 private:
  struct Call;

  const std::unique_ptr<v1::WorkerService::Stub> stub_;
  std::mutex mu_;
  std::condition_variable idle_;
  std::shared_ptr<Call> call_;  // guarded by mu_; null when nothing is in flight
  int callbacks_ = 0;           // guarded by mu_; begun calls whose callback has not returned
};

}  // namespace gridsweep::agent
