// A whole coordinator in this process, reached by real gRPC.
#pragma once

#include <gmock/gmock.h>
#include <grpcpp/client_context.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "common/rpc/channel.h"
#include "common/rpc/grpc_status.h"
#include "coordinator/coordinator_server.h"
#include "gridsweep/v1/sweep_service.grpc.pb.h"
#include "gridsweep/v1/worker_service.grpc.pb.h"
#include "tests/support/fake_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace gridsweep {

// 4 cells of 2 seeds, 2 epochs.
inline constexpr char kGridYaml[] = R"(name: grid
dataset: tiny
training: {epochs: 2, validation: 0.1}
seeds: [1, 2]
grid:
  model: [mlp, cnn]
  activation: [relu, tanh]
)";

class CoordinatorTest : public testing::Test {
 protected:
  CoordinatorTest() {
    config_.database = dir_ / "test.db";
    config_.listen = "127.0.0.1:0";
    config_.queue.lease = absl::Seconds(30);
  }

  void Start() {
    server_.reset();
    auto server = CoordinatorServer::Start(config_, clock_, Catalog::Builtin());
    ASSERT_THAT(server, IsOk());
    server_ = *std::move(server);
    const auto channel = ConnectTo(server_->address());
    sweeps_ = v1::SweepService::NewStub(channel);
    workers_ = v1::WorkerService::NewStub(channel);
  }

  template <typename Stub, typename Request, typename Response>
  static absl::StatusOr<Response> Call(Stub& stub,
                                       grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                                    Response*),
                                       const Request& request) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
    Response response;
    const grpc::Status status = (stub.*method)(&context, request, &response);
    if (!status.ok()) return FromGrpc(status);
    return response;
  }

  absl::StatusOr<v1::SubmitResponse> Submit(const std::string& key, const std::string& yaml = kGridYaml) {
    v1::SubmitRequest request;
    request.set_client_key(key);
    request.set_yaml(yaml);
    request.set_file_name("my.yaml");
    return Call(*sweeps_, &v1::SweepService::Stub::Submit, request);
  }
  absl::StatusOr<v1::SweepStatus> GetSweep(const std::string& sweep) {
    v1::GetSweepRequest request;
    request.set_sweep(sweep);
    return Call(*sweeps_, &v1::SweepService::Stub::GetSweep, request);
  }
  absl::StatusOr<v1::SweepSummary> Control(const std::string& sweep, v1::SweepAction action) {
    v1::ControlSweepRequest request;
    request.set_sweep(sweep);
    request.set_action(action);
    return Call(*sweeps_, &v1::SweepService::Stub::ControlSweep, request);
  }
  absl::StatusOr<v1::RankResponse> Rank(const v1::RankRequest& request) {
    return Call(*sweeps_, &v1::SweepService::Stub::Rank, request);
  }
  absl::StatusOr<v1::ListJobsResponse> ListJobs(const std::string& sweep, const std::string& state = "",
                                                int64_t limit = 0) {
    v1::ListJobsRequest request;
    request.set_sweep(sweep);
    request.set_state(state);
    request.set_limit(limit);
    return Call(*sweeps_, &v1::SweepService::Stub::ListJobs, request);
  }
  absl::StatusOr<v1::JobDetail> GetJob(int64_t job) {
    v1::GetJobRequest request;
    request.set_job(job);
    return Call(*sweeps_, &v1::SweepService::Stub::GetJob, request);
  }
  absl::StatusOr<v1::ListWorkersResponse> ListWorkers() {
    return Call(*sweeps_, &v1::SweepService::Stub::ListWorkers, v1::ListWorkersRequest());
  }
  absl::StatusOr<v1::QueryResponse> Query(const std::string& sql, int64_t max_rows = 0,
                                          int64_t timeout_ms = 0) {
    v1::QueryRequest request;
    request.set_sql(sql);
    request.set_max_rows(max_rows);
    request.set_timeout_ms(timeout_ms);
    return Call(*sweeps_, &v1::SweepService::Stub::Query, request);
  }
  absl::StatusOr<v1::SyncResponse> Sync(const v1::SyncRequest& request) {
    return Call(*workers_, &v1::WorkerService::Stub::Sync, request);
  }

  // A first request of a worker with the data set.
  static v1::SyncRequest Hello(const std::string& worker, int room = 0) {
    v1::SyncRequest request;
    request.set_protocol_version(kProtocolVersion);
    request.set_worker(worker);
    request.set_session("session-of-" + worker);
    request.set_sync_seq(1);
    request.set_room(room);
    v1::WorkerInfo& info = *request.mutable_info();
    info.set_host("host");
    info.set_pid(4711);
    info.set_version("0.1.0");
    info.add_datasets("tiny");
    v1::Device& device = *info.add_devices();
    device.set_name("cpu");
    device.set_slots(2);
    return request;
  }

  // The report of a whole job of 2 epochs, whose best validation accuracy is `accuracy`.
  static void AddReport(v1::SyncRequest& request, const v1::Lease& lease, double accuracy) {
    v1::AttemptEvents& events = *request.add_events();
    events.set_attempt(lease.attempt());
    events.set_token(lease.token());
    v1::AttemptEvent* event = events.add_events();
    event->set_seq(1);
    v1::DatasetInfo& dataset = *event->mutable_started()->mutable_dataset();
    dataset.set_name("tiny");
    dataset.set_digest(std::string(64, 'a'));
    dataset.add_class_names("cat");
    dataset.add_class_names("dog");
    event->mutable_started()->set_device("cpu");
    for (int epoch = 1; epoch <= 2; ++epoch) {
      event = events.add_events();
      event->set_seq(static_cast<uint64_t>(epoch) + 1);
      v1::EpochMetrics& metrics = *event->mutable_epoch();
      metrics.set_epoch(epoch);
      metrics.set_val_accuracy(accuracy * epoch / 2);
      metrics.set_test_accuracy(accuracy * epoch / 2 - 0.01);
      metrics.set_seconds(1);
    }
    event = events.add_events();
    event->set_seq(4);
    event->mutable_finished()->set_outcome(v1::OUTCOME_SUCCEEDED);
    v1::Evaluation& evaluation = *event->mutable_finished()->mutable_evaluation();
    for (const int count : {9, 1, 2, 8}) evaluation.add_confusion(count);
    v1::Prediction& prediction = *evaluation.add_predictions();
    prediction.set_index(3);
    prediction.set_predicted(1);
    prediction.set_confidence(0.75);
  }

  // Leases and finishes every pending job; job K gets the accuracy 0.5 + 0.01 K.
  void RunEverything() {
    v1::SyncRequest request = Hello("runner", 100);
    while (true) {
      ASSERT_OK_AND_ASSIGN(const v1::SyncResponse response, Sync(request));
      if (response.leases().empty()) return;
      const uint64_t next_seq = request.sync_seq() + 1;
      request = Hello("runner", 100);
      request.set_sync_seq(next_seq);
      for (const v1::Lease& lease : response.leases()) {
        AddReport(request, lease, 0.5 + 0.01 * static_cast<double>(lease.job()));
      }
    }
  }

  TempDir dir_;
  FakeClock clock_;
  CoordinatorConfig config_;
  std::unique_ptr<CoordinatorServer> server_;
  std::unique_ptr<v1::SweepService::Stub> sweeps_;
  std::unique_ptr<v1::WorkerService::Stub> workers_;
};

}  // namespace gridsweep
