#include "coordinator/metrics/coordinator_metrics.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "common/base/version.h"
#include "coordinator/metrics/exposition.h"

namespace gridsweep {
namespace {

double Load(const std::atomic<int64_t>& counter) {
  return static_cast<double>(counter.load(std::memory_order_relaxed));
}

void AddProcess(Exposition& out) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  out.Single("process_cpu_seconds_total", "counter", "CPU time, user and system.",
             seconds(usage.ru_utime) + seconds(usage.ru_stime));
  std::ifstream statm("/proc/self/statm");
  int64_t pages = 0, resident = 0;
  statm >> pages >> resident;
  out.Single("process_resident_memory_bytes", "gauge", "Resident memory.",
             static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)));
  int64_t files = 0;
  if (DIR* const directory = opendir("/proc/self/fd"); directory != nullptr) {
    while (readdir(directory) != nullptr) ++files;
    closedir(directory);
  }
  out.Single("process_open_fds", "gauge", "Open file descriptors.", static_cast<double>(files));
}

void AddJobs(const CoordinatorState& state, Exposition& out) {
  StateCounts all;
  int64_t active = 0;
  for (const SweepRecord& sweep : state.sweeps) {
    all.pending += sweep.jobs.pending;
    all.running += sweep.jobs.running;
    all.succeeded += sweep.jobs.succeeded;
    all.diverged += sweep.jobs.diverged;
    all.failed += sweep.jobs.failed;
    all.cancelled += sweep.jobs.cancelled;
    active += sweep.state == SweepState::kActive ? 1 : 0;
  }
  out.Single("gridsweep_sweeps_active", "gauge", "Sweeps that are neither finished, cancelled nor paused.",
             static_cast<double>(active));
  out.Family("gridsweep_jobs", "gauge", "Jobs of all sweeps by state.");
  out.Sample(static_cast<double>(all.pending), {{"state", "pending"}});
  out.Sample(static_cast<double>(all.running), {{"state", "running"}});
  out.Sample(static_cast<double>(all.succeeded), {{"state", "succeeded"}});
  out.Sample(static_cast<double>(all.diverged), {{"state", "diverged"}});
  out.Sample(static_cast<double>(all.failed), {{"state", "failed"}});
  out.Sample(static_cast<double>(all.cancelled), {{"state", "cancelled"}});
}

void AddLive(const CoordinatorState::Live& live, Exposition& out) {
  out.Single("gridsweep_leases", "gauge", "Attempts that workers hold.", static_cast<double>(live.leases));
  out.Family("gridsweep_workers", "gauge", "Workers that were ever seen, by what they do now.");
  for (const char* state : {"working", "idle", "quarantined", "lost", "left"}) {
    const auto found = live.workers.find(state);
    out.Sample(found == live.workers.end() ? 0 : static_cast<double>(found->second), {{"state", state}});
  }
}

}  // namespace

std::string RenderMetrics(const CoordinatorMetrics& metrics, const CoordinatorState& state) {
  Exposition out;
  out.Family("gridsweep_build_info", "gauge", "1, with the version as labels.");
  out.Sample(1, {{"version", Version()}, {"commit", Commit()}});
  AddJobs(state, out);
  out.Single("gridsweep_writer_answers", "gauge",
             "1 if the thread that writes answered; if not, what only it knows is missing.",
             state.live ? 1 : 0);
  if (state.live) AddLive(*state.live, out);
  out.Single("gridsweep_leases_granted_total", "counter", "Attempts that were given to workers.",
             Load(metrics.leases_granted));
  out.Single("gridsweep_attempts_reported_total", "counter", "Attempts that workers reported as over.",
             Load(metrics.attempts_reported));
  out.Single("gridsweep_requests_waiting", "gauge", "Requests that wait for the writer.",
             static_cast<double>(state.waiting_requests));
  out.Single("gridsweep_requests_refused_total", "counter", "Requests refused because too many waited.",
             Load(metrics.refused_requests));
  out.Single("gridsweep_calls_limited_total", "counter",
             "Calls refused because their caller called too often.", Load(metrics.limited_calls));
  out.Single("gridsweep_calls_denied_total", "counter",
             "Calls without a valid token, or with that of another role.", Load(metrics.denied_calls));
  out.Add("gridsweep_sync_seconds", "From a worker's call to its answer.", metrics.sync_seconds);
  out.Add("gridsweep_commit_seconds", "From taking a batch of requests to its commit.",
          metrics.commit_seconds);
  out.Single("gridsweep_commits_total", "counter", "Batches that were stored.", Load(metrics.commits));
  out.Single("gridsweep_commit_failures_total", "counter", "Batches that could not be stored.",
             Load(metrics.failed_commits));
  out.Single("gridsweep_operations_total", "counter", "Requests in stored batches.",
             Load(metrics.operations));
  out.Single("gridsweep_epochs_reported_total", "counter", "Epochs in answered calls of workers.",
             Load(metrics.epochs_reported));
  out.Single("gridsweep_store_in_trouble", "gauge", "1 while the disk takes no writes.",
             metrics.in_trouble ? 1 : 0);
  out.Single("gridsweep_database_bytes", "gauge", "Size of the database file.",
             static_cast<double>(state.sizes.database_bytes));
  out.Single("gridsweep_wal_bytes", "gauge", "Size of its write-ahead log.",
             static_cast<double>(state.sizes.wal_bytes));
  out.Single("gridsweep_disk_free_bytes", "gauge", "Free space beside the database.",
             static_cast<double>(state.sizes.free_bytes));
  AddProcess(out);
  return out.text();
}

}  // namespace gridsweep
