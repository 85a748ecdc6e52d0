// The worker's loop: feeds the core with what trainers, coordinator and clock say, and does what the core
// decides.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/status.h"
#include "worker/agent/agent_core.h"
#include "worker/agent/artifact_client.h"
#include "worker/agent/coordinator_client.h"
#include "worker/agent/sample_courier.h"
#include "worker/agent/trainer_process.h"

namespace gridsweep::agent {

struct WorkerAgentOptions {
  std::shared_ptr<grpc::Channel> coordinator;
  std::string trainer;                 // path of the program
  std::vector<std::string> data_dirs;  // for the trainers, and to look for data sets
  std::string checkpoints;             // a folder, which exists; empty: none, as core.checkpoints says too
  std::optional<double> checkpoint_interval;       // seconds, for the trainers; theirs without one
  absl::Duration rescan = absl::Minutes(1);        // of the data directories
  absl::Duration trainer_exit = absl::Seconds(3);  // from end of input to SIGKILL, at the end
  AgentOptions core;
};

// One loop thread owns the core, the trainers and the client; everything else posts to it.
class WorkerAgent {
 public:
  // Starts the trainers and the loop. `clock` is not owned.
  WorkerAgent(WorkerAgentOptions options, WorkerInfo info, const Clock* clock);
  // Aborts if still running.
  ~WorkerAgent();
  WorkerAgent(const WorkerAgent&) = delete;
  WorkerAgent& operator=(const WorkerAgent&) = delete;

  // Thread-safe. Hands back what runs and ends, see agent_core.h. Returns at once; no-op if done before.
  void Drain();
  // Thread-safe. Ends now without telling the coordinator; trainers are killed.
  void Abort();
  // Waits for the end; trainers are gone then. OK after a drain, CANCELLED after Abort, ABORTED or
  // FAILED_PRECONDITION if the coordinator refused this worker.
  absl::Status Wait();

 private:
  using Event = std::function<void(absl::Duration now)>;  // run by the loop thread

  void Post(Event event);
  void Loop();
  void LoopUntilEnded();
  void Perform(const Action& action);
  void StartTrainerProcess(size_t device);
  void ReapTrainer(size_t device, const TrainerExit& exit);
  void OnTrainerLine(size_t device, const std::string& line);
  void StopTrainers();
  void ScanDatasets();
  absl::Duration Now() const { return clock_->Now().monotonic; }

  // Immutable after construction.
  const WorkerAgentOptions options_;
  const Clock* const clock_;

  // Used by the loop thread alone.
  AgentCore core_;
  std::vector<std::unique_ptr<TrainerProcess>> trainers_;  // by device; null when there is none
  std::vector<int64_t> nonsense_;  // by device: lines of its trainers that were no events
  bool aborted_ = false;
  absl::Status result_;

  std::mutex mu_;
  std::condition_variable posted_;
  std::condition_variable finished_;
  std::deque<Event> events_;    // guarded by mu_
  bool done_ = false;           // guarded by mu_
  bool stop_scanning_ = false;  // guarded by mu_
  std::condition_variable scan_;

  CoordinatorClient client_;
  std::unique_ptr<ArtifactClient> artifacts_;  // null without a folder
  SampleCourier samples_;
  std::thread scanner_;
  std::thread loop_;
};

}  // namespace gridsweep::agent
