// The users' gRPC service: submitting, steering, looking. Reads go to the store's reader beside the writer;
// writes and the live view go through the commit loop.
#pragma once

#include <functional>
#include <string>

#include "common/base/clock.h"
#include "common/catalog/catalog.h"
#include "common/sweep/sweep_spec.h"
#include "coordinator/artifacts/artifact_folder.h"
#include "coordinator/queue/commit_loop.h"
#include "coordinator/store/store.h"
#include "coordinator/store/store_reader.h"
#include "gridsweep/v1/sweep_service.grpc.pb.h"

namespace gridsweep {

// Thread-safe. Pointers are not owned and must outlive the server the service is registered with.
class SweepService : public v1::SweepService::Service {
 public:
  struct Parts {
    CommitLoop* loop =
        nullptr;  // null when the database is open for reading only: writes answer FAILED_PRECONDITION
    Store* store = nullptr;  // used on the loop's thread only; null with loop
    StoreReader* reader = nullptr;
    ArtifactFolder* artifacts = nullptr;
    const Clock* clock = nullptr;
    const Catalog* catalog = nullptr;
    SweepLimits limits;
    QueryLimits query_limits;
    std::string database;  // path, for GetServerInfo
    // Asked first by every call, with the caller's address; null where callers are asked already by who they are.
    std::function<absl::Status(const std::string& address)> admit;
  };
  explicit SweepService(Parts parts) : parts_(std::move(parts)) {}

  grpc::Status Submit(grpc::ServerContext*, const v1::SubmitRequest* request,
                      v1::SubmitResponse* response) override;
  grpc::Status ListSweeps(grpc::ServerContext*, const v1::ListSweepsRequest* request,
                          v1::ListSweepsResponse* response) override;
  grpc::Status GetSweep(grpc::ServerContext*, const v1::GetSweepRequest* request,
                        v1::SweepStatus* response) override;
  grpc::Status ControlSweep(grpc::ServerContext*, const v1::ControlSweepRequest* request,
                            v1::SweepSummary* response) override;
  grpc::Status Rank(grpc::ServerContext*, const v1::RankRequest* request,
                    v1::RankResponse* response) override;
  grpc::Status GetEffects(grpc::ServerContext*, const v1::GetEffectsRequest* request,
                          v1::GetEffectsResponse* response) override;
  grpc::Status GetReport(grpc::ServerContext* context, const v1::GetReportRequest* request,
                         grpc::ServerWriter<v1::ReportPiece>* writer) override;
  grpc::Status AddSeeds(grpc::ServerContext*, const v1::AddSeedsRequest* request,
                        v1::AddSeedsResponse* response) override;
  grpc::Status ListJobs(grpc::ServerContext*, const v1::ListJobsRequest* request,
                        v1::ListJobsResponse* response) override;
  grpc::Status GetJob(grpc::ServerContext*, const v1::GetJobRequest* request,
                      v1::JobDetail* response) override;
  grpc::Status ListWorkers(grpc::ServerContext*, const v1::ListWorkersRequest* request,
                           v1::ListWorkersResponse* response) override;
  grpc::Status Query(grpc::ServerContext*, const v1::QueryRequest* request,
                     v1::QueryResponse* response) override;
  grpc::Status Backup(grpc::ServerContext* context, const v1::BackupRequest* request,
                      grpc::ServerWriter<v1::BackupPiece>* writer) override;
  grpc::Status Diagnose(grpc::ServerContext*, const v1::DiagnoseRequest* request,
                        v1::DiagnoseResponse* response) override;
  grpc::Status ListModels(grpc::ServerContext*, const v1::ListModelsRequest* request,
                          v1::ListModelsResponse* response) override;
  grpc::Status GetModel(grpc::ServerContext* context, const v1::GetModelRequest* request,
                        grpc::ServerWriter<v1::ModelPiece>* writer) override;
  grpc::Status GetServerInfo(grpc::ServerContext*, const v1::GetServerInfoRequest* request,
                             v1::ServerInfo* response) override;

  // The answers of GetSweep and ListWorkers, for the live view.
  absl::StatusOr<v1::SweepStatus> Status(SweepId sweep);
  absl::StatusOr<v1::ListWorkersResponse> Workers();

 private:
  absl::Status DoSubmit(const v1::SubmitRequest& request, v1::SubmitResponse& response);
  absl::Status DoControl(const v1::ControlSweepRequest& request, v1::SweepSummary& response);
  absl::Status DoGetReport(grpc::ServerContext& context, const std::string& sweep,
                           grpc::ServerWriter<v1::ReportPiece>& writer);
  absl::Status DoAddSeeds(const v1::AddSeedsRequest& request, v1::AddSeedsResponse& response);
  absl::Status DoListJobs(const v1::ListJobsRequest& request, v1::ListJobsResponse& response);
  absl::Status DoGetJob(const v1::GetJobRequest& request, v1::JobDetail& response);
  absl::Status DoListSweeps(v1::ListSweepsResponse& response);
  absl::Status DoQuery(const v1::QueryRequest& request, v1::QueryResponse& response);
  absl::Status DoBackup(grpc::ServerContext& context, grpc::ServerWriter<v1::BackupPiece>& writer);
  absl::Status DoDiagnose(v1::DiagnoseResponse& response);
  absl::Status DoListModels(const v1::ListModelsRequest& request, v1::ListModelsResponse& response);
  absl::Status DoGetModel(grpc::ServerContext& context, JobId job,
                          grpc::ServerWriter<v1::ModelPiece>& writer);
  // What every method begins and ends with.
  template <typename Request, typename Do>
  grpc::Status Answer(const grpc::ServerContext& context, const Request& request, const Do& answer) const;
  // By id or name.
  absl::StatusOr<SweepId> FindSweep(const std::string& id_or_name) const;
  // FAILED_PRECONDITION when open for reading only.
  absl::Status CheckWritable() const;

  const Parts parts_;
};

}  // namespace gridsweep
