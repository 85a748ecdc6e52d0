#include "coordinator/service/live_content.h"

#include <cmath>

#include "common/base/json.h"
#include "coordinator/report/report_data.h"
#include "coordinator/report/report_sections.h"

namespace gridsweep {
namespace {

// A report that is out of date is made anew when this many times as long as it took has passed.
constexpr int64_t kShareOfTime = 10;
constexpr size_t kMostReports = 8;

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json CountsToJson(const v1::JobCounts& jobs) {
  return {{"pending", jobs.pending()},   {"running", jobs.running()}, {"succeeded", jobs.succeeded()},
          {"diverged", jobs.diverged()}, {"failed", jobs.failed()},   {"cancelled", jobs.cancelled()}};
}

Json RunningToJson(const v1::SweepStatus& status) {
  Json running = Json::array();
  for (const v1::RunningJob& job : status.running()) {
    Json curve = Json::array();
    for (const double value : job.curve()) curve.push_back(std::isfinite(value) ? Json(value) : Json());
    running.push_back({{"job", job.job()},
                       {"label", job.label()},
                       {"seed", job.seed()},
                       {"worker", job.worker()},
                       {"device", job.device()},
                       {"epoch", job.epoch()},
                       {"curve", curve}});
  }
  return running;
}

Json WorkersToJson(const v1::ListWorkersResponse& response) {
  Json workers = Json::array();
  for (const v1::WorkerSummary& worker : response.workers()) {
    if (worker.state() == "left") continue;
    workers.push_back(
        {{"name", worker.name()},
         {"host", worker.host()},
         {"state", worker.state()},
         {"devices", std::vector<std::string>(worker.devices().begin(), worker.devices().end())},
         {"slots", worker.slots()},
         {"running", worker.running()},
         {"last_seen_us", worker.last_seen_us()},
         {"note", worker.note()}});
  }
  return workers;
}

int64_t ResultsOf(const StateCounts& jobs) {
  return jobs.succeeded + jobs.diverged + jobs.failed + jobs.cancelled;
}

}  // namespace

absl::StatusOr<std::string> LiveContent::Sweeps() {
  GS_ASSIGN_OR_RETURN(const std::vector<SweepRecord> records, reader_->ListSweeps());
  Json sweeps = Json::array();
  for (const SweepRecord& sweep : records) {
    const StateCounts& jobs = sweep.jobs;
    sweeps.push_back({{"id", sweep.id.value},
                      {"name", sweep.name},
                      {"state", std::string(SweepStateName(sweep.state))},
                      {"dataset", sweep.dataset},
                      {"cells", sweep.cells},
                      {"seeds", sweep.seeds},
                      {"jobs",
                       {{"pending", jobs.pending},
                        {"running", jobs.running},
                        {"succeeded", jobs.succeeded},
                        {"diverged", jobs.diverged},
                        {"failed", jobs.failed},
                        {"cancelled", jobs.cancelled}}},
                      {"created_us", absl::ToUnixMicros(sweep.created)},
                      {"finished_us", sweep.finished ? Json(absl::ToUnixMicros(*sweep.finished)) : Json()}});
  }
  return Dump({{"sweeps", sweeps}});
}

absl::StatusOr<std::string> LiveContent::Report(SweepId sweep) {
  GS_ASSIGN_OR_RETURN(const SweepRecord record, reader_->GetSweep(sweep));
  const std::lock_guard lock(mutex_);
  const absl::Time begin = clock_->Now().wall;
  if (const auto made = reports_.find(sweep); made != reports_.end()) {
    const bool current = made->second.results == ResultsOf(record.jobs) && record.jobs.running == 0;
    if (current || begin - made->second.made < kShareOfTime * made->second.took) return made->second.json;
  }
  GS_ASSIGN_OR_RETURN(const Json report, BuildReport(*reader_, sweep, begin, /*live=*/true));
  if (reports_.size() >= kMostReports) reports_.clear();
  MadeReport& made = reports_[sweep];
  made = {.results = ResultsOf(record.jobs),
          .made = begin,
          .took = clock_->Now().wall - begin,
          .json = Dump(report)};
  return made.json;
}

absl::StatusOr<std::string> LiveContent::Progress(SweepId sweep) {
  GS_ASSIGN_OR_RETURN(const v1::SweepStatus status, service_->Status(sweep));
  GS_ASSIGN_OR_RETURN(const v1::ListWorkersResponse workers, service_->Workers());
  const v1::JobCounts& jobs = status.summary().jobs();
  return Dump({{"state", status.summary().state()},
               {"jobs", CountsToJson(jobs)},
               {"epochs_done", status.epochs_done()},
               {"epochs_total", status.epochs_total()},
               {"eta_seconds", status.eta_seconds() < 0 ? Json() : Json(status.eta_seconds())},
               {"epochs_per_minute", status.epochs_per_minute()},
               {"waiting_for", status.waiting_for()},
               {"trouble", status.trouble()},
               {"running", RunningToJson(status)},
               {"recent_failures",
                std::vector<std::string>(status.recent_failures().begin(), status.recent_failures().end())},
               {"workers", WorkersToJson(workers)},
               {"results", jobs.succeeded() + jobs.diverged() + jobs.failed() + jobs.cancelled()}});
}

absl::StatusOr<std::string> LiveContent::Section(SweepId sweep, const std::string& name) {
  GS_RETURN_IF_ERROR(reader_->GetSweep(sweep).status());
  if (name == "curves") return BuildCurves(*reader_, sweep);
  if (name == "confusions") return BuildConfusions(*reader_, sweep, kDetailedCells);
  return BuildSamples(*reader_, sweep, kDetailedCells);
}

}  // namespace gridsweep
