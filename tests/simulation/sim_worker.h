// A worker as it is, its decisions being those of the real agent, with trainers that train in virtual time.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/simulation/event_queue.h"
#include "tests/simulation/sim_network.h"
#include "tests/simulation/sim_random.h"
#include "tests/simulation/sim_transfers.h"
#include "tests/simulation/witness.h"
#include "tests/support/fake_trainer/numbers.h"
#include "worker/agent/agent_core.h"

namespace gridsweep {

struct TrainerFaults {
  double crash = 0;          // in an epoch
  double hang = 0;           // in an epoch
  double no_checkpoint = 0;  // after an epoch: too soon after the last, or the disk is full
  double lose_files = 0;     // with a kill: of the folder, all or some
};

// Not thread-safe; nothing passed in is owned.
class SimWorker {
 public:
  // `rate`: how fast its clock runs.
  SimWorker(std::string name, int slots, double rate, EventQueue* events, SimRandom* random,
            SimNetwork* network, Witness* witness);

  const std::string& name() const { return name_; }
  bool is_running() const { return core_ != nullptr; }
  void set_faults(const TrainerFaults& faults) { faults_ = faults; }

  void Start();   // a new process
  void Kill();    // SIGKILL, its trainer with it
  void Drain();   // SIGTERM
  void Freeze();  // SIGSTOP, its trainer not: that is another process
  void Thaw();    // SIGCONT

  // Nothing is left to do or to hand in.
  bool is_idle() const { return core_ == nullptr || core_->ReferencedFiles().empty(); }
  // Attempts whose model the coordinator has said to have, or not to want.
  const std::set<int64_t>& acknowledged_models() const { return acknowledged_models_; }

 private:
  absl::Duration LocalNow() const { return rate_ * events_->now(); }
  // Runs `what` now, or when the worker is thawed, unless its process has ended by then.
  void Deliver(uint64_t process, std::function<void()> what);
  // What the real agent's loop does after every event.
  void Turn();
  void PlanWakeup();
  void Perform(const agent::Action& action);
  void SendSync(const agent::SyncRequest& request);

  void StartTrainer();
  void EndTrainer(const agent::TrainerExit& exit);
  void OnCommand(const std::string& line);
  void Transfer(const agent::Action& action);
  void StartJob(const Json& item, int64_t bundle);
  // The events of the epochs up to the first checkpoint that serves, and those of checkpoints that do not.
  std::vector<Json> GoOn(int64_t attempt, const std::vector<std::string>& resume,
                         std::vector<Json>& unusable);
  // Begins the attempt's epoch and plans its end.
  void TrainEpoch(int64_t attempt, int64_t epoch);
  // Their events.
  Json WriteCheckpoint(int64_t attempt, int64_t epoch);
  Json WriteModel(int64_t attempt);
  // A line of the trainer. What it says of an attempt that is over can be told from everything else.
  void Emit(Json event);

  struct TrainerJob {
    RunningJob running;
    int64_t bundle = 0;  // the first attempt of it: jobs that are trained together write one file
  };

  const std::string name_;
  const int slots_;
  const double rate_;
  EventQueue* const events_;
  SimRandom* const random_;
  SimNetwork* const network_;
  Witness* const witness_;
  SimTransfers transfers_;
  TrainerFaults faults_;

  uint64_t process_ = 0;  // numbers the worker's lives
  std::unique_ptr<agent::AgentCore> core_;
  bool frozen_ = false;
  absl::Duration frozen_since_;
  std::vector<std::pair<uint64_t, std::function<void()>>> delayed_;  // while frozen
  uint64_t wakeup_ = 0;   // numbers planned wakeups: only the last counts
  uint64_t trainer_ = 0;  // numbers the trainers' lives
  bool trainer_alive_ = false;
  std::map<int64_t, TrainerJob> jobs_;  // of the trainer, by attempt
  std::set<int64_t> acknowledged_models_;
};

}  // namespace gridsweep
