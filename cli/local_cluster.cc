#include "cli/local_cluster.h"

#include <csignal>

#include "common/base/backoff.h"
#include "common/base/command_line.h"
#include "common/base/random.h"

namespace gridsweep {
namespace {

constexpr int kMaxQuickDeaths = 5;
constexpr absl::Duration kQuick = absl::Seconds(15);
constexpr absl::Duration kWorkerStopTimeout = absl::Seconds(30);
constexpr absl::Duration kCoordinatorStopTimeout = absl::Seconds(10);
constexpr BackoffPolicy kRestartBackoff{absl::Seconds(1), absl::Seconds(30)};
constexpr int kLogLines = 8;

}  // namespace

LocalCluster::LocalCluster(LocalClusterSpec spec, LocalCoordinator coordinator)
    : spec_(std::move(spec)), coordinator_(std::move(coordinator)) {
  coordinator_child_.name = "coordinator";
  coordinator_child_.started = absl::Now();
}

absl::StatusOr<std::unique_ptr<LocalCluster>> LocalCluster::Start(LocalClusterSpec spec) {
  GS_ASSIGN_OR_RETURN(LocalCoordinator coordinator,
                      StartCoordinator({.program_dir = spec.program_dir,
                                        .db = spec.db,
                                        .share = spec.share,
                                        .http = spec.http,
                                        .log_path = spec.db + ".coordinator.log"}));
  return std::unique_ptr<LocalCluster>(new LocalCluster(std::move(spec), std::move(coordinator)));
}

absl::Status LocalCluster::StartWorkers() {
  if (!workers_.empty()) return absl::OkStatus();
  for (int i = 0; i < spec_.workers; ++i) {
    workers_.push_back({.name = fmt::format("local-{}", i + 1)});
    GS_RETURN_IF_ERROR(StartWorker(workers_.back()));
  }
  return absl::OkStatus();
}

absl::Status LocalCluster::StartWorker(Child& worker) {
  ProcessSpec process_spec{
      .argv = {spec_.program_dir + "/gridsweep-worker", "--coordinator", address(), "--name", worker.name},
      .log_path = WorkerLog()};
  process_spec.argv.insert(process_spec.argv.end(), spec_.worker_flags.begin(), spec_.worker_flags.end());
  GS_ASSIGN_OR_RETURN(worker.process, Process::Start(process_spec));
  worker.started = absl::Now();
  worker.noticed = false;
  return absl::OkStatus();
}

std::string LocalCluster::HttpAddress() const {
  // "http://127.0.0.1:8080/": where an open page looks for it.
  const std::string& url = coordinator_.live_url;
  const size_t host = url.find("://");
  return host == std::string::npos ? spec_.http : url.substr(host + 3, url.size() - host - 4);
}

absl::Status LocalCluster::RestartCoordinator() {
  GS_ASSIGN_OR_RETURN(coordinator_, StartCoordinator({.program_dir = spec_.program_dir,
                                                      .db = spec_.db,
                                                      .listen = coordinator_.address,
                                                      .share = spec_.share,
                                                      .http = HttpAddress(),
                                                      .log_path = CoordinatorLog()}));
  coordinator_child_.started = absl::Now();
  coordinator_child_.noticed = false;
  return absl::OkStatus();
}

absl::StatusOr<std::string> LocalCluster::NoticeDeath(Child& child, const std::string& log_path,
                                                      absl::Time now) {
  Process& process = child.process == nullptr ? *coordinator_.process : *child.process;
  const std::string how = process.EndDescription();
  child.quick_deaths = now - child.started < kQuick ? child.quick_deaths + 1 : 1;
  if (child.quick_deaths >= kMaxQuickDeaths || process.ExitCode() == kExitUsage) {
    return FailedPrecondition("the {} {} and does not come up; its log '{}' ends with:{}", child.name, how,
                              log_path, LogTail(log_path, kLogLines));
  }
  const absl::Duration delay = BackoffDelay(kRestartBackoff, child.quick_deaths - 1, RandomUnit());
  child.restart_at = now + delay;
  child.noticed = true;
  return fmt::format("{} {}, starting it again; its log is '{}'", child.name, how, log_path);
}

absl::StatusOr<std::vector<std::string>> LocalCluster::Supervise(absl::Time now) {
  std::vector<std::string> messages;
  if (coordinator_.process->HasEnded()) {
    if (!coordinator_child_.noticed) {
      GS_ASSIGN_OR_RETURN(messages.emplace_back(), NoticeDeath(coordinator_child_, CoordinatorLog(), now));
    } else if (now >= coordinator_child_.restart_at) {
      // Also a failed start is a death: the port or the lock may not be free yet.
      if (const absl::Status status = RestartCoordinator(); !status.ok()) {
        if (++coordinator_child_.quick_deaths >= kMaxQuickDeaths) return status;
        coordinator_child_.restart_at =
            now + BackoffDelay(kRestartBackoff, coordinator_child_.quick_deaths - 1, RandomUnit());
      }
    }
  }
  for (Child& worker : workers_) {
    if (!worker.process->HasEnded()) continue;
    if (!worker.noticed) {
      GS_ASSIGN_OR_RETURN(messages.emplace_back(), NoticeDeath(worker, WorkerLog(), now));
    } else if (now >= worker.restart_at) {
      GS_RETURN_IF_ERROR(StartWorker(worker));
    }
  }
  return messages;
}

void LocalCluster::WaitForEnd(const Context& context, int patience, absl::Time deadline,
                              bool coordinator_too) {
  while (true) {
    bool all_ended = !coordinator_too || coordinator_.process->HasEnded();
    for (Child& worker : workers_) all_ended = all_ended && worker.process->HasEnded();
    if (all_ended || absl::Now() > deadline || context.interruptions() > patience) return;
    absl::SleepFor(absl::Milliseconds(10));
  }
}

void LocalCluster::Stop(const Context& context, int patience) {
  // Workers first: they hand back their jobs to a coordinator that still listens.
  for (Child& worker : workers_) worker.process->Signal(SIGTERM);
  WaitForEnd(context, patience, absl::Now() + kWorkerStopTimeout, false);
  coordinator_.process->Signal(SIGTERM);
  WaitForEnd(context, patience, absl::Now() + kCoordinatorStopTimeout, true);
  for (Child& worker : workers_) worker.process->KillGroup();
  coordinator_.process->KillGroup();
}

}  // namespace gridsweep
