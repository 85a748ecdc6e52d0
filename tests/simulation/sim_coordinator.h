// The coordinator as it is, core and store, on a disk that fails; started anew whenever it dies.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "coordinator/queue/batch_runner.h"
#include "coordinator/store/sqlite_store.h"
#include "tests/simulation/event_queue.h"
#include "tests/simulation/fault_disk.h"
#include "tests/simulation/sim_artifacts.h"
#include "tests/simulation/sim_network.h"
#include "tests/simulation/sim_random.h"
#include "tests/simulation/witness.h"
#include "tests/simulation/witnessed_store.h"

namespace gridsweep {

// How a coordinator ends.
enum class Death {
  kKill,          // the process: what was written is written
  kPowerLoss,     // the machine: what was not synced may be lost, kept or torn
  kMidBatch,      // the process, at some write of the next batch
  kPowerInBatch,  // the machine, likewise
  kBeforeReply,   // the process, after the next commit and before its answers leave
  kFileSync,      // the process, at the next sync of a file of a trainer
  kFolderSync,    // the process, at the next sync of their folder
  kBeforeRow,     // the process, when the next of their files is in its place and not recorded
};

// The coordinator's machine: its monotonic time is the simulation's, its wall clock may be set.
class SimClock : public Clock {
 public:
  explicit SimClock(const EventQueue* events) : events_(events) {}
  Instant Now() const override {
    return {absl::FromUnixSeconds(1'800'000'000) + wall_offset_ + events_->now(), events_->now()};
  }
  void SetWallOffset(absl::Duration offset) { wall_offset_ = offset; }

 private:
  const EventQueue* const events_;
  absl::Duration wall_offset_;
};

// Not thread-safe; nothing passed in is owned.
class SimCoordinator {
 public:
  SimCoordinator(std::string database, EventQueue* events, SimRandom* random, SimNetwork* network,
                 QueueOptions options, Witness* witness, int64_t artifacts_limit);
  ~SimCoordinator();

  void Start();
  // Dies that way and is started again `downtime` after its death.
  void Die(Death how, absl::Duration downtime);
  // Its machine's or process's time stands still.
  void Freeze(absl::Duration duration);
  // Of the database and of the files.
  void SetDisk(FaultDisk::Fault fault);
  SimArtifacts& artifacts() { return artifacts_; }
  SimClock& clock() { return clock_; }
  bool is_running() const { return files_.store != nullptr; }

  // Posts an operation as a service does. `done` is not called if it dies.
  using Operation = std::function<absl::Status(JobQueue&, Store&, const Instant&)>;
  void Post(Operation operation, std::function<void(const absl::Status&)> done);

  // Highest sequence number that each attempt's worker was told is stored.
  const std::map<int64_t, uint64_t>& acknowledged() const { return acknowledged_; }
  int64_t lives() const { return lives_; }
  // REQUIRES: it runs.
  absl::StatusOr<SweepId> FindSweep(const std::string& name) { return files_.reader->FindSweep(name); }
  // Whether after the last batch no sweep was active or paused.
  bool HasEnded() const { return ended_; }
  // Where it cannot go on, for a diagnosis; empty if nowhere.
  const std::string& trouble() const { return trouble_; }

 private:
  struct Item {
    Operation operation;
    std::function<void(const absl::Status&)> done;
  };

  void Serve(const std::string& request, std::function<void(SimNetwork::Answer)> reply);
  void ServeSync(const std::string& request, std::function<void(SimNetwork::Answer)> reply);
  // Runs a batch then, if none is planned earlier.
  void PlanBatch(absl::Duration delay);
  void RunBatch();
  void Stop(bool power_loss);
  void Restart(absl::Duration downtime);

  const std::string database_;
  EventQueue* const events_;
  SimRandom* const random_;
  SimNetwork* const network_;
  const QueueOptions options_;
  Witness* const witness_;
  FaultDisk disk_;
  SimClock clock_;
  SimArtifacts artifacts_;

  int64_t lives_ = 0;
  bool ended_ = false;
  StoreFiles files_;
  std::unique_ptr<WitnessedStore> store_;
  std::unique_ptr<JobQueue> queue_;
  std::unique_ptr<BatchRunner> runner_;
  std::vector<Item> waiting_;
  std::optional<absl::Duration> planned_for_;  // the next batch
  uint64_t plan_ = 0;                          // numbers the plans: only the last counts
  absl::Duration frozen_until_ = absl::ZeroDuration();
  std::optional<Death> next_death_;
  absl::Duration downtime_;
  int64_t restarts_planned_ = 0;
  std::map<int64_t, uint64_t> acknowledged_;
  std::string trouble_;
};

}  // namespace gridsweep
