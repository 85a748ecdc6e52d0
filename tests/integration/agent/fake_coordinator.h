// A WorkerService in this process for tests of real workers: keeps leases and events in memory, records requests, and
// fails on demand.
#pragma once

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "common/rpc/channel.h"
#include "gridsweep/v1/worker_service.grpc.pb.h"

namespace gridsweep {

// Hands out queued jobs as leases and stores events exactly once, as the real one does. Thread-safe.
class FakeCoordinator : public v1::WorkerService::Service {
 public:
  ~FakeCoordinator() override { StopServing(); }

  // Listens on the address of the first call, a free port of this machine.
  void Serve() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort(address_, grpc::InsecureServerCredentials(), &port_);
    ConfigureServer(builder);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
    address_ = "127.0.0.1:" + std::to_string(port_);
  }
  void StopServing() {
    if (server_) server_->Shutdown(std::chrono::system_clock::now());
    server_.reset();
  }
  std::string address() const { return address_; }

  // Adds a job; it becomes attempt 1, 2, … as it is leased.
  void AddJob(std::string job_json) {
    const std::lock_guard lock(mu_);
    jobs_.push_back(std::move(job_json));
  }
  void Stop(int64_t attempt) {
    const std::lock_guard lock(mu_);
    stop_.push_back(attempt);
  }
  // The next `calls` Syncs take effect but their answers are lost.
  void LoseAnswers(int calls) {
    const std::lock_guard lock(mu_);
    lose_answers_ = calls;
  }
  // From now on every Sync fails with `status`, without effect.
  void FailWith(const grpc::Status& status) {
    const std::lock_guard lock(mu_);
    failure_ = status;
  }
  void Recover() {
    const std::lock_guard lock(mu_);
    failure_.reset();
  }
  // Every lease is offered with every answer, held or not.
  void RepeatLeases() {
    const std::lock_guard lock(mu_);
    repeat_leases_ = true;
  }

  int requests() const {
    const std::lock_guard lock(mu_);
    return requests_;
  }
  v1::SyncRequest last_request() const {
    const std::lock_guard lock(mu_);
    return last_request_;
  }
  v1::WorkerInfo info() const {
    const std::lock_guard lock(mu_);
    return info_;
  }
  // Events of the attempt in the order they were stored; each seq once.
  std::vector<v1::AttemptEvent> Events(int64_t attempt) const {
    const std::lock_guard lock(mu_);
    const auto it = events_.find(attempt);
    return it == events_.end() ? std::vector<v1::AttemptEvent>() : it->second;
  }
  // How the attempt ended, if it has.
  std::optional<v1::AttemptFinished> End(int64_t attempt) const {
    const std::vector<v1::AttemptEvent> events = Events(attempt);
    if (events.empty() || !events.back().has_finished()) return std::nullopt;
    return events.back().finished();
  }
  // Broken promises of the worker: a gap or change in an attempt's events, a wrong token, a falling sync_seq.
  std::vector<std::string> complaints() const {
    const std::lock_guard lock(mu_);
    return complaints_;
  }
  // What there is to know when a test waits in vain.
  std::string Describe() const;

 private:
  grpc::Status Sync(grpc::ServerContext* context, const v1::SyncRequest* request,
                    v1::SyncResponse* response) override;
  void Store(const v1::AttemptEvents& batch, v1::SyncResponse& response);
  void Lease(const v1::SyncRequest& request, v1::SyncResponse& response);

  std::string address_ = "127.0.0.1:0";
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;

  mutable std::mutex mu_;  // guards everything below
  std::deque<std::string> jobs_;
  std::map<int64_t, v1::Lease> leases_;  // not finished
  int64_t last_attempt_ = 0;
  std::map<int64_t, std::vector<v1::AttemptEvent>> events_;
  std::vector<int64_t> stop_;
  int lose_answers_ = 0;
  bool repeat_leases_ = false;
  std::optional<grpc::Status> failure_;
  int requests_ = 0;
  v1::SyncRequest last_request_;
  v1::WorkerInfo info_;
  std::vector<std::string> complaints_;
};

}  // namespace gridsweep
