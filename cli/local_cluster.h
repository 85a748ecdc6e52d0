// A coordinator and workers on this machine as child processes: started, kept alive, stopped in order.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/context.h"
#include "cli/local_coordinator.h"
#include "cli/process.h"
#include "common/base/status.h"

namespace gridsweep {

struct LocalClusterSpec {
  std::string program_dir;
  std::string db;
  bool share = true;  // jobs with common epochs train them once
  std::string http;   // address of the live view; empty: none
  int workers = 1;
  // Flags of every worker, e.g. {"--slots", "2"}.
  std::vector<std::string> worker_flags;
};

// Not thread-safe. Children write their logs beside the database, to DB.coordinator.log and DB.worker.log.
class LocalCluster {
 public:
  // Starts the coordinator and waits until it listens. Errors as StartCoordinator.
  static absl::StatusOr<std::unique_ptr<LocalCluster>> Start(LocalClusterSpec spec);
  // Kills what Stop has not ended.
  ~LocalCluster() = default;

  const std::string& address() const { return coordinator_.address; }
  const std::string& live_url() const { return coordinator_.live_url; }  // empty without a live view

  // Once; later calls do nothing. Returns NOT_FOUND if gridsweep-worker is not installed.
  absl::Status StartWorkers();

  // Starts again, after a pause that grows, what died; the coordinator on the same port, so that workers carry on.
  // Returns messages for the user. Returns FAILED_PRECONDITION with the last lines of its log when a program keeps dying
  // or refuses its flags. Call it regularly.
  absl::StatusOr<std::vector<std::string>> Supervise(absl::Time now);

  // Workers hand back their jobs and exit, then the coordinator. Kills them all when the user asks to stop more than
  // `patience` times in total, or after 40 s.
  void Stop(const Context& context, int patience);

 private:
  // A program that is to run.
  struct Child {
    std::string name;
    std::unique_ptr<Process> process;
    absl::Time started;
    absl::Time restart_at;
    int quick_deaths = 0;  // in a row
    bool noticed = false;  // that it died
  };

  LocalCluster(LocalClusterSpec spec, LocalCoordinator coordinator);

  std::string CoordinatorLog() const { return spec_.db + ".coordinator.log"; }
  std::string WorkerLog() const { return spec_.db + ".worker.log"; }
  absl::Status StartWorker(Child& worker);
  absl::Status RestartCoordinator();
  // Of the live view, the same after a restart.
  std::string HttpAddress() const;
  // A message once when `child` is found dead; sets when to start it again.
  absl::StatusOr<std::string> NoticeDeath(Child& child, const std::string& log_path, absl::Time now);
  void WaitForEnd(const Context& context, int patience, absl::Time deadline, bool coordinator_too);

  const LocalClusterSpec spec_;
  LocalCoordinator coordinator_;
  Child coordinator_child_;  // its process is coordinator_.process
  std::vector<Child> workers_;
};

}  // namespace gridsweep
