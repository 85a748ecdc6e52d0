#include "cli/client.h"

#include <grpcpp/client_context.h>

#include <atomic>

#include "common/base/task_thread.h"
#include "common/rpc/channel.h"
#include "common/rpc/grpc_status.h"
#include "gridsweep/v1/sweep_service.grpc.pb.h"

namespace gridsweep {
namespace {

constexpr absl::Duration kShort = absl::Seconds(15);
// Storing or ranking 100,000 jobs on a slow disk.
constexpr absl::Duration kLong = absl::Minutes(2);
// Gigabytes of it.
constexpr absl::Duration kWholeDatabase = absl::Minutes(30);
constexpr absl::Duration kLook = absl::Milliseconds(100);

absl::Status Explain(const grpc::Status& status, const std::string& address, absl::Duration timeout) {
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE:
      return Unavailable(
          "no coordinator answers at '{}' ({}): start one with gridsweep-coordinator --db FILE --listen "
          "ADDR, or name "
          "another with --coordinator; one that encrypts needs --ca",
          address, status.error_message());
    case grpc::StatusCode::CANCELLED:
      // Never by us: the server cancels what is under way when it stops.
      return Unavailable("the coordinator at '{}' has stopped", address);
    case grpc::StatusCode::UNIMPLEMENTED:
      return FailedPrecondition("what listens at '{}' is no gridsweep coordinator, or one of another version",
                                address);
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      // gRPC's own words for a call that the client gave up; the coordinator's limits have other messages.
      if (status.error_message() == "Deadline Exceeded") {
        return Unavailable("the coordinator at '{}' did not answer within {} s", address,
                           absl::ToInt64Seconds(timeout));
      }
      return FromGrpc(status);
    default:
      return FromGrpc(status);
  }
}

}  // namespace

struct Client::Stub {
  Stub(std::string address_in, std::unique_ptr<v1::SweepService::Stub> service_in)
      : address(std::move(address_in)), service(std::move(service_in)) {}
  const std::string address;
  const std::unique_ptr<v1::SweepService::Stub> service;

  template <typename Response, typename Request>
  absl::StatusOr<Response> Call(grpc::Status (v1::SweepService::Stub::*method)(grpc::ClientContext*,
                                                                               const Request&, Response*),
                                const Request& request, absl::Duration timeout) {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
    Response response;
    const grpc::Status status = (service.get()->*method)(&context, request, &response);
    if (!status.ok()) return Explain(status, address, timeout);
    return response;
  }

  // Calls `take` with the pieces of the answer, in order; an error of it ends the call and is returned, and CANCELLED soon after
  // `give_up` says so, which another thread asks.
  template <typename Piece, typename Request>
  absl::Status Stream(std::unique_ptr<grpc::ClientReader<Piece>> (v1::SweepService::Stub::*method)(
                          grpc::ClientContext*, const Request&),
                      const Request& request, absl::Duration timeout,
                      const std::function<absl::Status(const Piece&)>& take,
                      const std::function<bool()>& give_up) {
    grpc::ClientContext context;
    context.set_deadline(absl::ToChronoTime(absl::Now() + timeout));
    std::atomic<bool> given_up{false};
    // The first piece may be long in coming.
    TaskThread watcher(kLook, [&] {
      if (given_up || !give_up()) return;
      given_up = true;
      context.TryCancel();
    });
    const auto pieces = (service.get()->*method)(&context, request);
    Piece piece;
    absl::Status taken;
    while (taken.ok() && pieces->Read(&piece)) taken = take(piece);
    if (!taken.ok()) context.TryCancel();
    const grpc::Status status = pieces->Finish();
    watcher.Stop();
    if (given_up) return absl::CancelledError("interrupted");
    if (!taken.ok()) return taken;
    return status.ok() ? absl::OkStatus() : Explain(status, address, timeout);
  }
};

absl::StatusOr<std::unique_ptr<Client>> Client::Create(const Endpoint& endpoint) {
  GS_ASSIGN_OR_RETURN(const auto channel, ConnectTo(endpoint));
  return std::unique_ptr<Client>(new Client(
      endpoint.address, std::make_unique<Stub>(endpoint.address, v1::SweepService::NewStub(channel))));
}

Client::Client(const std::string& address)
    : Client(address, std::make_unique<Stub>(address, v1::SweepService::NewStub(ConnectTo(address)))) {}

Client::Client(const std::string& address, std::unique_ptr<Stub> stub)
    : address_(address), stub_(std::move(stub)) {}

Client::~Client() = default;

absl::StatusOr<v1::SubmitResponse> Client::Submit(const v1::SubmitRequest& request) {
  return stub_->Call(&v1::SweepService::Stub::Submit, request, kLong);
}

absl::StatusOr<v1::ListSweepsResponse> Client::ListSweeps() {
  return stub_->Call(&v1::SweepService::Stub::ListSweeps, v1::ListSweepsRequest(), kShort);
}

absl::StatusOr<v1::SweepStatus> Client::GetSweep(const std::string& sweep) {
  v1::GetSweepRequest request;
  request.set_sweep(sweep);
  return stub_->Call(&v1::SweepService::Stub::GetSweep, request, kShort);
}

absl::StatusOr<v1::SweepSummary> Client::ControlSweep(const std::string& sweep, v1::SweepAction action) {
  v1::ControlSweepRequest request;
  request.set_sweep(sweep);
  request.set_action(action);
  return stub_->Call(&v1::SweepService::Stub::ControlSweep, request, kLong);
}

absl::StatusOr<v1::RankResponse> Client::Rank(const v1::RankRequest& request) {
  return stub_->Call(&v1::SweepService::Stub::Rank, request, kLong);
}

absl::StatusOr<v1::GetEffectsResponse> Client::GetEffects(const std::string& sweep) {
  v1::GetEffectsRequest request;
  request.set_sweep(sweep);
  return stub_->Call(&v1::SweepService::Stub::GetEffects, request, kLong);
}

absl::StatusOr<v1::AddSeedsResponse> Client::AddSeeds(const v1::AddSeedsRequest& request) {
  return stub_->Call(&v1::SweepService::Stub::AddSeeds, request, kLong);
}

absl::StatusOr<v1::ListJobsResponse> Client::ListJobs(const v1::ListJobsRequest& request) {
  return stub_->Call(&v1::SweepService::Stub::ListJobs, request, kLong);
}

absl::StatusOr<v1::JobDetail> Client::GetJob(int64_t job) {
  v1::GetJobRequest request;
  request.set_job(job);
  return stub_->Call(&v1::SweepService::Stub::GetJob, request, kShort);
}

absl::StatusOr<v1::ListWorkersResponse> Client::ListWorkers() {
  return stub_->Call(&v1::SweepService::Stub::ListWorkers, v1::ListWorkersRequest(), kShort);
}

absl::StatusOr<v1::DiagnoseResponse> Client::Diagnose() {
  return stub_->Call(&v1::SweepService::Stub::Diagnose, v1::DiagnoseRequest(), kWholeDatabase);
}

absl::Status Client::Backup(const std::function<absl::Status(const v1::BackupPiece&)>& take,
                            const std::function<bool()>& give_up) {
  return stub_->Stream(&v1::SweepService::Stub::Backup, v1::BackupRequest(), kWholeDatabase, take, give_up);
}

absl::Status Client::GetReport(const std::string& sweep,
                               const std::function<absl::Status(const v1::ReportPiece&)>& take,
                               const std::function<bool()>& give_up) {
  v1::GetReportRequest request;
  request.set_sweep(sweep);
  return stub_->Stream(&v1::SweepService::Stub::GetReport, request, kWholeDatabase, take, give_up);
}

absl::StatusOr<v1::ListModelsResponse> Client::ListModels(const std::string& sweep) {
  v1::ListModelsRequest request;
  request.set_sweep(sweep);
  return stub_->Call(&v1::SweepService::Stub::ListModels, request, kShort);
}

absl::Status Client::GetModel(int64_t job, const std::function<absl::Status(const v1::ModelPiece&)>& take,
                              const std::function<bool()>& give_up) {
  v1::GetModelRequest request;
  request.set_job(job);
  return stub_->Stream(&v1::SweepService::Stub::GetModel, request, kWholeDatabase, take, give_up);
}

absl::StatusOr<v1::QueryResponse> Client::Query(const v1::QueryRequest& request, absl::Duration limit) {
  return stub_->Call(&v1::SweepService::Stub::Query, request, limit + absl::Seconds(5));
}

}  // namespace gridsweep
