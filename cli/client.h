// The user's side of SweepService: one method an RPC, each with a deadline.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "common/base/status.h"
#include "common/rpc/endpoint.h"
#include "gridsweep/v1/sweep_service.pb.h"

namespace gridsweep {

// Thread-safe. Connects on the first call and again whenever the coordinator comes back.
//
// Every method returns UNAVAILABLE, with what to do, if no coordinator answers; otherwise the coordinator's
// own error.
class Client {
 public:
  // The error of a file of `endpoint` that cannot be used.
  static absl::StatusOr<std::unique_ptr<Client>> Create(const Endpoint& endpoint);
  // Without encryption.
  explicit Client(const std::string& address);
  ~Client();

  const std::string& address() const { return address_; }

  absl::StatusOr<v1::SubmitResponse> Submit(const v1::SubmitRequest& request);
  absl::StatusOr<v1::ListSweepsResponse> ListSweeps();
  absl::StatusOr<v1::SweepStatus> GetSweep(const std::string& sweep);
  absl::StatusOr<v1::SweepSummary> ControlSweep(const std::string& sweep, v1::SweepAction action);
  absl::StatusOr<v1::RankResponse> Rank(const v1::RankRequest& request);
  absl::StatusOr<v1::GetEffectsResponse> GetEffects(const std::string& sweep);
  absl::StatusOr<v1::AddSeedsResponse> AddSeeds(const v1::AddSeedsRequest& request);
  absl::StatusOr<v1::ListJobsResponse> ListJobs(const v1::ListJobsRequest& request);
  absl::StatusOr<v1::JobDetail> GetJob(int64_t job);
  absl::StatusOr<v1::ListWorkersResponse> ListWorkers();
  absl::StatusOr<v1::DiagnoseResponse> Diagnose();
  // Calls `take` with the pieces of a copy of the database, in order; an error of it ends the call and is returned.
  // `give_up` is asked ten times a second, on another thread; once it says so the call returns CANCELLED.
  absl::Status Backup(const std::function<absl::Status(const v1::BackupPiece&)>& take,
                      const std::function<bool()>& give_up);
  // Likewise with the pieces of a report.
  absl::Status GetReport(const std::string& sweep,
                         const std::function<absl::Status(const v1::ReportPiece&)>& take,
                         const std::function<bool()>& give_up);
  absl::StatusOr<v1::ListModelsResponse> ListModels(const std::string& sweep);
  // Likewise with the pieces of a job's weights.
  absl::Status GetModel(int64_t job, const std::function<absl::Status(const v1::ModelPiece&)>& take,
                        const std::function<bool()>& give_up);
  // Waits a little longer than `limit`, within which the coordinator answers or gives up itself.
  absl::StatusOr<v1::QueryResponse> Query(const v1::QueryRequest& request, absl::Duration limit);

 private:
  // The generated stub, out of this header because gRPC's own headers are slow to compile.
  struct Stub;
  Client(const std::string& address, std::unique_ptr<Stub> stub);

  const std::string address_;
  const std::unique_ptr<Stub> stub_;
};

}  // namespace gridsweep
