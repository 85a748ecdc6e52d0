#include "worker/agent/coordinator_client.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <chrono>

#include "absl/time/clock.h"
#include "common/rpc/grpc_status.h"
#include "worker/agent/convert.h"

namespace gridsweep::agent {

struct CoordinatorClient::Call {
  grpc::ClientContext context;
  v1::SyncRequest request;
  v1::SyncResponse response;
};

CoordinatorClient::CoordinatorClient(const std::shared_ptr<grpc::Channel>& channel)
    : stub_(v1::WorkerService::NewStub(channel)) {}

CoordinatorClient::~CoordinatorClient() {
  Cancel();
  std::unique_lock lock(mu_);
  idle_.wait(lock, [this] { return callbacks_ == 0; });
}

void CoordinatorClient::Sync(const SyncRequest& request,
                             std::function<void(absl::StatusOr<SyncResponse>)> done) {
  const auto call = std::make_shared<Call>();
  call->request = ToProto(request);
  call->context.set_deadline(absl::ToChronoTime(absl::Now() + kDeadline));
  {
    const std::lock_guard lock(mu_);
    call_ = call;
    ++callbacks_;
  }
  stub_->async()->Sync(&call->context, &call->request, &call->response,
                       [this, call, done = std::move(done)](const grpc::Status& status) {
                         {
                           // Before `done`, which may lead to the next Sync at once.
                           const std::lock_guard lock(mu_);
                           call_ = nullptr;
                         }
                         if (status.ok()) {
                           done(FromProto(call->response));
                         } else {
                           done(FromGrpc(status));
                         }
                         // Under the lock: the destructor may run as soon as it is released.
                         const std::lock_guard lock(mu_);
                         --callbacks_;
                         idle_.notify_all();
                       });
}

void CoordinatorClient::Cancel() {
  const std::lock_guard lock(mu_);
  if (call_ != nullptr) call_->context.TryCancel();
}

}  // namespace gridsweep::agent
