#include "coordinator/service/sweep_service.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>
#include <unordered_map>

#include "common/base/log.h"
#include "common/base/random.h"
#include "common/base/shell_word.h"
#include "common/base/version.h"
#include "common/rpc/channel.h"
#include "common/rpc/convert.h"
#include "common/rpc/grpc_status.h"
#include "common/sweep/grid.h"
#include "coordinator/report/report_page.h"
#include "coordinator/service/call_gate.h"
#include "coordinator/service/coordinator_state.h"
#include "coordinator/service/diagnosis.h"
#include "coordinator/service/results_answers.h"
#include "coordinator/service/sweep_status.h"
#include "coordinator/service/sweep_views.h"

namespace gridsweep {
namespace {

constexpr int64_t kBackupPiece = 1 << 20;
constexpr int64_t kModelPiece = 256 << 10;
constexpr size_t kReportPiece = 1 << 20;
constexpr int64_t kMostSeeds = 1000;  // a cell
// What a backup leaves free, for the sweeps to go on.
constexpr uint64_t kBackupReserve = 64 << 20;
// A sweep file has at most 1 MiB, and nothing else comes near it.
constexpr size_t kMostUserBytes = 2 << 20;
constexpr size_t kMaxNameBytes = 1024;

}  // namespace

template <typename Request, typename Do>
grpc::Status SweepService::Answer(const grpc::ServerContext& context, const Request& request,
                                  const Do& answer) const {
  if (parts_.admit != nullptr) {
    if (const absl::Status admitted = parts_.admit(AddressOf(context.peer())); !admitted.ok())
      return ToGrpc(admitted);
  }
  if (const size_t bytes = request.ByteSizeLong(); bytes > kMostUserBytes)
    return ToGrpc(InvalidArgument("a request of {} bytes, at most {} are allowed", bytes, kMostUserBytes));
  return ToGrpc(answer());
}

absl::StatusOr<SweepId> SweepService::FindSweep(const std::string& id_or_name) const {
  // Nobody is served by reading so much again in an error.
  if (id_or_name.size() > kMaxNameBytes)
    return InvalidArgument("a sweep's name of {} bytes, at most {} are allowed", id_or_name.size(),
                           kMaxNameBytes);
  return parts_.reader->FindSweep(id_or_name);
}

absl::Status SweepService::CheckWritable() const {
  if (parts_.loop != nullptr) return absl::OkStatus();
  return FailedPrecondition("'{}' is open for reading only: start gridsweep-coordinator --db {} to change it",
                            parts_.database, ShellWord(parts_.database));
}

absl::Status SweepService::DoSubmit(const v1::SubmitRequest& request, v1::SubmitResponse& response) {
  GS_RETURN_IF_ERROR(CheckWritable());
  if (request.client_key().empty() || request.client_key().size() > 128) {
    return InvalidArgument("a submit needs a client_key of 1 to 128 characters, got {}",
                           request.client_key().size());
  }
  const std::string file = request.file_name().empty() ? "sweep.yaml" : request.file_name();
  GS_ASSIGN_OR_RETURN(const SweepSpec spec, ParseSweep(request.yaml(), file, *parts_.catalog, parts_.limits));
  const Grid grid(spec);
  const NewSweep sweep{request.client_key(), SweepContentHash(spec), request.yaml(), request.resume()};
  SubmittedSweep submitted;
  GS_RETURN_IF_ERROR(parts_.loop->Run([&](JobQueue&, const Instant& now) -> absl::Status {
    GS_ASSIGN_OR_RETURN(submitted, parts_.store->SubmitSweep(sweep, spec, grid, *parts_.catalog, now.wall));
    return absl::OkStatus();
  }));
  Log(LogLevel::kInfo, submitted.created ? "sweep_submitted" : "sweep_known",
      {{"sweep", submitted.id.value}, {"name", spec.name}, {"jobs", submitted.jobs}});
  response.set_sweep(submitted.id.value);
  response.set_created(submitted.created);
  response.set_jobs(submitted.jobs);
  response.set_name(spec.name);
  return absl::OkStatus();
}

absl::Status SweepService::DoControl(const v1::ControlSweepRequest& request, v1::SweepSummary& response) {
  GS_RETURN_IF_ERROR(CheckWritable());
  GS_ASSIGN_OR_RETURN(const SweepId sweep, FindSweep(request.sweep()));
  const v1::SweepAction action = request.action();
  GS_RETURN_IF_ERROR(parts_.loop->Run([&](JobQueue& queue, const Instant& now) -> absl::Status {
    switch (action) {
      case v1::PAUSE:
        return parts_.store->SetPaused(sweep, true, now.wall);
      case v1::RESUME:
        return parts_.store->SetPaused(sweep, false, now.wall);
      case v1::CANCEL:
        return queue.Cancel(sweep, now);
      case v1::RETRY:
        return parts_.store->RetryJobs(sweep, now.wall).status();
      default:
        return InvalidArgument("unknown action {}", static_cast<int>(action));
    }
  }));
  Log(LogLevel::kInfo, "sweep_controlled",
      {{"sweep", sweep.value}, {"action", v1::SweepAction_Name(action)}});
  GS_ASSIGN_OR_RETURN(const SweepRecord record, parts_.reader->GetSweep(sweep));
  response = ToProto(record);
  return absl::OkStatus();
}

absl::StatusOr<v1::SweepStatus> SweepService::Status(SweepId sweep) {
  LiveView live;
  if (parts_.loop != nullptr) {
    const absl::Status asked = parts_.loop->Run([&](JobQueue& queue, const Instant& now) -> absl::Status {
      live.leases = queue.Leases();
      live.workers = queue.Workers(now);
      live.trouble = parts_.store->Trouble();
      GS_ASSIGN_OR_RETURN(live.seconds_left, queue.SecondsLeft(sweep, now));
      return absl::OkStatus();
    });
    // While the disk takes no writes the batch fails, though nothing of this had to be written.
    if (!asked.ok() && !live.trouble) return asked;
  }
  return BuildSweepStatus(*parts_.reader, sweep, live, parts_.clock->Now().wall);
}

absl::Status SweepService::DoGetReport(grpc::ServerContext& context, const std::string& id_or_name,
                                       grpc::ServerWriter<v1::ReportPiece>& writer) {
  GS_ASSIGN_OR_RETURN(const SweepId sweep, FindSweep(id_or_name));
  return WriteReport(*parts_.reader, sweep, parts_.clock->Now().wall,
                     [&](std::string_view data) -> absl::Status {
                       while (!data.empty()) {
                         v1::ReportPiece piece;
                         piece.set_data(std::string(data.substr(0, kReportPiece)));
                         data.remove_prefix(piece.data().size());
                         if (!writer.Write(piece) || context.IsCancelled())
                           return absl::CancelledError("the caller has gone");
                       }
                       return absl::OkStatus();
                     });
}

absl::Status SweepService::DoAddSeeds(const v1::AddSeedsRequest& request, v1::AddSeedsResponse& response) {
  GS_RETURN_IF_ERROR(CheckWritable());
  GS_ASSIGN_OR_RETURN(const SweepId sweep, FindSweep(request.sweep()));
  if (request.seeds() < 1 || request.seeds() > kMostSeeds)
    return InvalidArgument("{} seeds a cell, expected 1 to {}", request.seeds(), kMostSeeds);
  if (request.reason().size() > kMaxNameBytes)
    return InvalidArgument("a reason of {} bytes, at most {} are allowed", request.reason().size(),
                           kMaxNameBytes);
  GS_ASSIGN_OR_RETURN(const std::vector<CellObjectives> cells, parts_.reader->ListObjectives(sweep));
  SeedRevision revision{.cells = {request.cells().begin(), request.cells().end()},
                        .seeds = request.seeds(),
                        .reason = request.reason()};
  if (revision.cells.empty()) {
    for (const CellObjectives& cell : cells) revision.cells.push_back(cell.cell);
  }
  // Checked before anything is expanded, as for a sweep file.
  if (static_cast<int64_t>(revision.cells.size()) > parts_.limits.max_jobs / revision.seeds)
    return ResourceExhausted("{} cells with {} seeds each are more than the limit of {} jobs",
                             revision.cells.size(), revision.seeds, parts_.limits.max_jobs);
  AddedSeeds added;
  GS_RETURN_IF_ERROR(parts_.loop->Run([&](JobQueue&, const Instant& now) -> absl::Status {
    GS_ASSIGN_OR_RETURN(added, parts_.store->AddSeeds(sweep, revision, now.wall));
    return absl::OkStatus();
  }));
  Log(LogLevel::kInfo, "seeds_added",
      {{"sweep", sweep.value}, {"revision", added.revision}, {"cells", added.cells}, {"jobs", added.jobs}});
  GS_ASSIGN_OR_RETURN(const SweepRecord record, parts_.reader->GetSweep(sweep));
  *response.mutable_sweep() = ToProto(record);
  response.set_revision(added.revision);
  response.set_cells(added.cells);
  response.set_jobs(added.jobs);
  return absl::OkStatus();
}

absl::Status SweepService::DoListJobs(const v1::ListJobsRequest& request, v1::ListJobsResponse& response) {
  GS_ASSIGN_OR_RETURN(const SweepId sweep, FindSweep(request.sweep()));
  std::optional<JobState> state;
  if (!request.state().empty()) {
    GS_ASSIGN_OR_RETURN(state, ParseJobState(request.state()));
  }
  const int64_t limit = request.limit() > 0 ? request.limit() : std::numeric_limits<int64_t>::max();
  GS_ASSIGN_OR_RETURN(const std::vector<JobRecord> jobs, parts_.reader->ListJobs(sweep, state, limit));
  for (const JobRecord& job : jobs) *response.add_jobs() = ToProto(job);
  GS_ASSIGN_OR_RETURN(const SweepRecord record, parts_.reader->GetSweep(sweep));
  *response.mutable_objective() = ToProto(record).objective();
  return absl::OkStatus();
}

absl::Status SweepService::DoGetJob(const v1::GetJobRequest& request, v1::JobDetail& response) {
  GS_ASSIGN_OR_RETURN(const JobDetailRecord detail, parts_.reader->GetJob(JobId{request.job()}));
  GS_ASSIGN_OR_RETURN(const SweepRecord sweep, parts_.reader->GetSweep(detail.job.sweep));
  *response.mutable_summary() = ToProto(detail.job);
  *response.mutable_sweep() = ToProto(sweep);
  response.set_params_json(detail.job.params_json);
  response.set_key(detail.job.key);
  for (const EpochMetrics& epoch : detail.epochs) *response.add_epochs() = ToProto(epoch);
  *response.mutable_evaluation() = ToProto(detail.evaluation);
  *response.mutable_dataset() = ToProto(detail.dataset);
  for (const AttemptRecord& attempt : detail.attempts) *response.add_attempts() = ToProto(attempt);
  return absl::OkStatus();
}

absl::StatusOr<v1::ListWorkersResponse> SweepService::Workers() {
  v1::ListWorkersResponse response;
  std::vector<LiveWorker> live;
  if (parts_.loop != nullptr) {
    GS_RETURN_IF_ERROR(parts_.loop->Run([&](JobQueue& queue, const Instant& now) {
      live = queue.Workers(now);
      return absl::OkStatus();
    }));
  }
  std::unordered_map<WorkerId, const LiveWorker*> by_id;
  for (const LiveWorker& worker : live) by_id[worker.id] = &worker;
  GS_ASSIGN_OR_RETURN(const std::vector<WorkerStatusRecord> workers, parts_.reader->ListWorkers());
  for (const WorkerStatusRecord& record : workers) {
    v1::WorkerSummary* summary = response.add_workers();
    *summary = ToProto(record);
    const auto found = by_id.find(record.id);
    const bool is_live = found != by_id.end();
    summary->set_state(WorkerState(record, is_live ? found->second : nullptr));
    if (!is_live) continue;
    summary->set_note(found->second->quarantine);
    summary->set_running(found->second->running);
    for (const std::string& dataset : found->second->datasets) summary->add_datasets(dataset);
  }
  return response;
}

grpc::Status SweepService::Submit(grpc::ServerContext* context, const v1::SubmitRequest* request,
                                  v1::SubmitResponse* response) {
  return Answer(*context, *request, [&] { return DoSubmit(*request, *response); });
}

absl::Status SweepService::DoListSweeps(v1::ListSweepsResponse& response) {
  GS_ASSIGN_OR_RETURN(const std::vector<SweepRecord> sweeps, parts_.reader->ListSweeps());
  for (const SweepRecord& sweep : sweeps) *response.add_sweeps() = ToProto(sweep);
  if (parts_.loop != nullptr)
    response.set_trouble(DescribeTrouble(parts_.loop->trouble(), parts_.clock->Now().wall));
  return absl::OkStatus();
}

absl::Status SweepService::DoQuery(const v1::QueryRequest& request, v1::QueryResponse& response) {
  QueryLimits limits = parts_.query_limits;
  if (request.timeout_ms() > 0)
    limits.timeout = std::min(limits.timeout, absl::Milliseconds(request.timeout_ms()));
  if (request.max_rows() > 0) limits.max_rows = std::min(limits.max_rows, request.max_rows());
  GS_ASSIGN_OR_RETURN(const QueryResult result, parts_.reader->Query(request.sql(), limits));
  response = ToProto(result);
  return absl::OkStatus();
}

grpc::Status SweepService::ListSweeps(grpc::ServerContext* context, const v1::ListSweepsRequest* request,
                                      v1::ListSweepsResponse* response) {
  return Answer(*context, *request, [&] { return DoListSweeps(*response); });
}

grpc::Status SweepService::GetSweep(grpc::ServerContext* context, const v1::GetSweepRequest* request,
                                    v1::SweepStatus* response) {
  return Answer(*context, *request, [&]() -> absl::Status {
    GS_ASSIGN_OR_RETURN(const SweepId sweep, FindSweep(request->sweep()));
    GS_ASSIGN_OR_RETURN(*response, Status(sweep));
    return absl::OkStatus();
  });
}

grpc::Status SweepService::GetReport(grpc::ServerContext* context, const v1::GetReportRequest* request,
                                     grpc::ServerWriter<v1::ReportPiece>* writer) {
  return Answer(*context, *request, [&] { return DoGetReport(*context, request->sweep(), *writer); });
}

grpc::Status SweepService::AddSeeds(grpc::ServerContext* context, const v1::AddSeedsRequest* request,
                                    v1::AddSeedsResponse* response) {
  return Answer(*context, *request, [&] { return DoAddSeeds(*request, *response); });
}

grpc::Status SweepService::ControlSweep(grpc::ServerContext* context, const v1::ControlSweepRequest* request,
                                        v1::SweepSummary* response) {
  return Answer(*context, *request, [&] { return DoControl(*request, *response); });
}

grpc::Status SweepService::Rank(grpc::ServerContext* context, const v1::RankRequest* request,
                                v1::RankResponse* response) {
  return Answer(*context, *request, [&]() -> absl::Status {
    GS_ASSIGN_OR_RETURN(const SweepId sweep, FindSweep(request->sweep()));
    GS_ASSIGN_OR_RETURN(*response, AnswerRank(*parts_.reader, sweep, *request));
    return absl::OkStatus();
  });
}

grpc::Status SweepService::GetEffects(grpc::ServerContext* context, const v1::GetEffectsRequest* request,
                                      v1::GetEffectsResponse* response) {
  return Answer(*context, *request, [&]() -> absl::Status {
    GS_ASSIGN_OR_RETURN(const SweepId sweep, FindSweep(request->sweep()));
    GS_ASSIGN_OR_RETURN(*response, AnswerEffects(*parts_.reader, sweep));
    return absl::OkStatus();
  });
}

grpc::Status SweepService::ListJobs(grpc::ServerContext* context, const v1::ListJobsRequest* request,
                                    v1::ListJobsResponse* response) {
  return Answer(*context, *request, [&] { return DoListJobs(*request, *response); });
}

grpc::Status SweepService::GetJob(grpc::ServerContext* context, const v1::GetJobRequest* request,
                                  v1::JobDetail* response) {
  return Answer(*context, *request, [&] { return DoGetJob(*request, *response); });
}

grpc::Status SweepService::ListWorkers(grpc::ServerContext* context, const v1::ListWorkersRequest* request,
                                       v1::ListWorkersResponse* response) {
  return Answer(*context, *request, [&]() -> absl::Status {
    GS_ASSIGN_OR_RETURN(*response, Workers());
    return absl::OkStatus();
  });
}

grpc::Status SweepService::Query(grpc::ServerContext* context, const v1::QueryRequest* request,
                                 v1::QueryResponse* response) {
  return Answer(*context, *request, [&] { return DoQuery(*request, *response); });
}

absl::Status SweepService::DoBackup(grpc::ServerContext& context,
                                    grpc::ServerWriter<v1::BackupPiece>& writer) {
  // Beside the database, where there is room for it or nowhere.
  const std::string copy = fmt::format("{}.backup-{}", parts_.database, RandomHex(8));
  std::error_code error;
  const uint64_t bytes = std::filesystem::file_size(parts_.database, error);
  if (error) return Unavailable("cannot read '{}': {}", parts_.database, error.message());
  const auto disk = std::filesystem::space(std::filesystem::absolute(copy).parent_path(), error);
  if (!error && disk.available < bytes + kBackupReserve)
    return ResourceExhausted("there is no room for a copy beside '{}'", parts_.database);
  GS_RETURN_IF_ERROR(parts_.reader->Backup(copy));
  std::ifstream file(copy, std::ios::binary | std::ios::ate);
  unlink(copy.c_str());  // it can still be read, and is gone however this ends
  const auto total = static_cast<int64_t>(file.tellg());
  if (!file || total <= 0) return Unavailable("cannot read the copy '{}'", copy);
  file.seekg(0);
  v1::BackupPiece piece;
  piece.set_total(total);
  for (int64_t sent = 0; sent < total;) {
    std::string& data = *piece.mutable_data();
    data.resize(static_cast<size_t>(std::min(kBackupPiece, total - sent)));
    if (!file.read(data.data(), static_cast<std::streamsize>(data.size())))
      return Unavailable("cannot read the copy '{}'", copy);
    sent += static_cast<int64_t>(data.size());
    if (!writer.Write(piece)) return absl::CancelledError("the caller has gone");
    piece.set_total(0);
    if (context.IsCancelled()) return absl::CancelledError("the caller has gone");
  }
  Log(LogLevel::kInfo, "backup_sent", {{"bytes", total}});
  return absl::OkStatus();
}

absl::Status SweepService::DoDiagnose(v1::DiagnoseResponse& response) {
  GS_ASSIGN_OR_RETURN(const StoreExamination found, parts_.reader->Examine());
  std::optional<WriteTrouble> trouble;
  const absl::Time now = parts_.clock->Now().wall;
  if (parts_.loop != nullptr) {
    const absl::Status asked = parts_.loop->Run([&](JobQueue&, const Instant&) {
      trouble = parts_.store->Trouble();
      return absl::OkStatus();
    });
    // That the writer does not answer is a finding too.
    if (!asked.ok() && !trouble) trouble = WriteTrouble{.error = Message(asked), .since = now};
  }
  for (const Check& check : gridsweep::Diagnose(found, trouble, now)) {
    v1::DiagnosisCheck* const added = response.add_checks();
    added->set_name(check.name);
    added->set_state(std::string(CheckStateName(check.state)));
    added->set_text(check.text);
  }
  response.set_now_us(absl::ToUnixMicros(now));
  return absl::OkStatus();
}

grpc::Status SweepService::Backup(grpc::ServerContext* context, const v1::BackupRequest* request,
                                  grpc::ServerWriter<v1::BackupPiece>* writer) {
  return Answer(*context, *request, [&] { return DoBackup(*context, *writer); });
}

grpc::Status SweepService::Diagnose(grpc::ServerContext* context, const v1::DiagnoseRequest* request,
                                    v1::DiagnoseResponse* response) {
  return Answer(*context, *request, [&] { return DoDiagnose(*response); });
}

absl::Status SweepService::DoListModels(const v1::ListModelsRequest& request,
                                        v1::ListModelsResponse& response) {
  GS_ASSIGN_OR_RETURN(const SweepId sweep, FindSweep(request.sweep()));
  GS_ASSIGN_OR_RETURN(const SweepRecord record, parts_.reader->GetSweep(sweep));
  GS_ASSIGN_OR_RETURN(const std::vector<ModelRecord> models, parts_.reader->ListModels(sweep));
  *response.mutable_sweep() = ToProto(record);
  for (const ModelRecord& model : models) *response.add_models() = ToProto(model);
  return absl::OkStatus();
}

absl::Status SweepService::DoGetModel(grpc::ServerContext& context, JobId job,
                                      grpc::ServerWriter<v1::ModelPiece>& writer) {
  GS_ASSIGN_OR_RETURN(const ModelRecord model, parts_.reader->GetModel(job));
  auto file = parts_.artifacts->Read(model.sha256);
  if (absl::IsNotFound(file.status()))
    return DataLoss("the file with the weights of job {} is gone", job.value);
  GS_RETURN_IF_ERROR(file.status());
  v1::ModelPiece piece;
  *piece.mutable_summary() = ToProto(model);
  while (true) {
    if (!writer.Write(piece) || context.IsCancelled()) return absl::CancelledError("the caller has gone");
    GS_ASSIGN_OR_RETURN(*piece.mutable_data(), (*file)->Next(kModelPiece));
    if (piece.data().empty()) return absl::OkStatus();
  }
}

grpc::Status SweepService::ListModels(grpc::ServerContext* context, const v1::ListModelsRequest* request,
                                      v1::ListModelsResponse* response) {
  return Answer(*context, *request, [&] { return DoListModels(*request, *response); });
}

grpc::Status SweepService::GetModel(grpc::ServerContext* context, const v1::GetModelRequest* request,
                                    grpc::ServerWriter<v1::ModelPiece>* writer) {
  return Answer(*context, *request, [&] { return DoGetModel(*context, JobId{request->job()}, *writer); });
}

grpc::Status SweepService::GetServerInfo(grpc::ServerContext* context,
                                         const v1::GetServerInfoRequest* request, v1::ServerInfo* response) {
  return Answer(*context, *request, [&] {
    response->set_version(Version());
    response->set_commit(Commit());
    response->set_database(parts_.database);
    response->set_sqlite_version(SqliteVersion());
    response->set_grpc_version(GrpcVersion());
    response->set_pid(getpid());
    response->set_read_only(parts_.loop == nullptr);
    return absl::OkStatus();
  });
}

}  // namespace gridsweep
