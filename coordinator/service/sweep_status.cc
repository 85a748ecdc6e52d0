#include "coordinator/service/sweep_status.h"

#include <algorithm>
#include <unordered_map>

#include "common/results/format_number.h"
#include "coordinator/service/sweep_views.h"

namespace gridsweep {
namespace {

// Throughput is measured over the last minutes, so that it follows a changing number of workers.
constexpr absl::Duration kRateWindow = absl::Minutes(3);
constexpr int64_t kRecentFailures = 3;

// More than a screen has room for; thousands, with their learning curves, would be slow to read and to send.
constexpr int64_t kMostRunning = 100;
constexpr int64_t kLeaders = 5;
constexpr size_t kMostWorkers = 20;

void AddRunning(const std::vector<RunningJobRecord>& records, const LiveView& live, const AxisUse& use,
                const Objective& objective, v1::SweepStatus& status) {
  std::unordered_map<AttemptId, const LiveLease*> leases;
  for (const LiveLease& lease : live.leases) leases[lease.attempt] = &lease;
  for (const RunningJobRecord& record : records) {
    v1::RunningJob* running = status.add_running();
    running->set_job(record.job.value);
    running->set_attempt_number(record.attempt_number);
    running->set_label(use.ShortLabel(record.labels));
    running->set_seed(record.seed);
    running->set_worker(record.worker);
    running->set_device(record.device);
    running->set_epoch(static_cast<int64_t>(record.epochs.size()));
    if (const auto found = leases.find(record.attempt); found != leases.end()) {
      running->set_epoch(std::max(running->epoch(), found->second->epoch));
      running->set_epoch_fraction(found->second->epoch_fraction);
      if (!found->second->device.empty()) running->set_device(found->second->device);
    }
    for (const EpochMetrics& epoch : record.epochs) {
      if (const auto value = MetricValue(epoch, objective.metric)) running->add_curve(*value);
    }
  }
}

void AddLeaders(std::vector<CellResults> cells, const Measure& measure, const AxisUse& use,
                v1::SweepStatus& status) {
  for (const RankedRow& row : RankCells(std::move(cells), measure)) {
    v1::LeadingCell* const leader = status.add_leaders();
    leader->set_label(use.ShortLabel(row.labels));
    leader->set_n(row.n);
    leader->set_mean(row.mean.value_or(0));
    if (row.ci) leader->set_ci(*row.ci);
    leader->set_evidence(std::string(EvidenceName(row.evidence)));
  }
}

void AddWorkers(std::vector<LiveWorker> workers, v1::SweepStatus& status) {
  std::sort(workers.begin(), workers.end(), [](const LiveWorker& a, const LiveWorker& b) {
    return std::pair(-a.running, a.name) < std::pair(-b.running, b.name);
  });
  if (workers.size() > kMostWorkers) workers.resize(kMostWorkers);
  for (const LiveWorker& worker : workers) {
    v1::WorkerLine* const line = status.add_worker_lines();
    line->set_name(worker.name);
    line->set_state(!worker.quarantine.empty() ? "quarantined" : worker.running > 0 ? "working" : "idle");
    line->set_running(worker.running);
    line->set_slots(worker.slots);
  }
}

}  // namespace

std::string WaitingFor(const SweepRecord& sweep, const std::vector<LiveWorker>& workers) {
  if (sweep.jobs.pending == 0 || sweep.jobs.running > 0) return "";
  if (sweep.state == SweepState::kPaused) return "the sweep is paused";
  if (workers.empty()) return "no worker is connected";
  const bool has_data = std::any_of(workers.begin(), workers.end(), [&](const LiveWorker& worker) {
    return std::find(worker.datasets.begin(), worker.datasets.end(), sweep.dataset) != worker.datasets.end();
  });
  if (!has_data) return fmt::format("no connected worker has the data set '{}'", sweep.dataset);
  return "";
}

std::string DescribeTrouble(const std::optional<WriteTrouble>& trouble, absl::Time now) {
  if (!trouble) return "";
  return fmt::format("nothing has been stored for {}: {}. Workers train on and keep their results; {}",
                     FormatDuration(std::max(0.0, absl::ToDoubleSeconds(now - trouble->since))),
                     trouble->error,
                     trouble->needs_restart ? "restart the coordinator"
                                            : "it goes on by itself once the disk takes writes again");
}

absl::StatusOr<v1::SweepStatus> BuildSweepStatus(StoreReader& reader, SweepId id, const LiveView& live,
                                                 absl::Time now) {
  v1::SweepStatus status;
  GS_ASSIGN_OR_RETURN(const SweepRecord sweep, reader.GetSweep(id));
  *status.mutable_summary() = ToProto(sweep);
  GS_ASSIGN_OR_RETURN(const auto levels, reader.AxisLevels(id));
  const AxisUse use = FindAxisUse(levels);
  GS_ASSIGN_OR_RETURN(const std::vector<RunningJobRecord> running, reader.ListRunning(id, kMostRunning));
  AddRunning(running, live, use, sweep.objective, status);
  GS_ASSIGN_OR_RETURN(const std::optional<JobRecord> best, reader.BestJob(id));
  if (best && best->objective) {
    status.mutable_best()->set_label(use.ShortLabel(best->labels));
    status.mutable_best()->set_objective(*best->objective);
    status.mutable_best()->set_job(best->id.value);
  }
  GS_ASSIGN_OR_RETURN(const DatasetInfo dataset, reader.GetDataset(id));
  GS_ASSIGN_OR_RETURN(std::vector<CellResults> leaders,
                      reader.BestResults(id, sweep.objective.goal, kLeaders));
  AddLeaders(std::move(leaders), MeasureOf(sweep.objective, sweep.training, dataset), use, status);
  AddWorkers(live.workers, status);
  GS_ASSIGN_OR_RETURN(const EpochProgress progress, reader.GetEpochProgress(id));
  status.set_epochs_done(progress.done);
  status.set_epochs_total(progress.total);
  const absl::Duration window = std::min(kRateWindow, now - sweep.created);
  GS_ASSIGN_OR_RETURN(const int64_t recent, reader.CountEpochsSince(id, now - window));
  const double minutes = absl::ToDoubleMinutes(window);
  const double rate = minutes > 0 ? static_cast<double>(recent) / minutes : 0;
  status.set_epochs_per_minute(rate);
  status.set_eta_seconds(progress.total <= progress.done ? 0 : live.seconds_left.value_or(-1));
  status.set_workers(static_cast<int64_t>(live.workers.size()));
  status.set_trouble(DescribeTrouble(live.trouble, now));
  status.set_waiting_for(WaitingFor(sweep, live.workers));
  GS_ASSIGN_OR_RETURN(const std::vector<std::string> failures, reader.RecentFailures(id, kRecentFailures));
  for (const std::string& failure : failures) status.add_recent_failures(failure);
  return status;
}

}  // namespace gridsweep
