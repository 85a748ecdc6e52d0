// The worker's state and every decision it takes, as functions of (now, event). No threads, sockets,
// processes or clocks: worker_agent.h feeds events in and carries actions out; tests do the same with made-up
// times.
//
// Rules:
// - Sync goes out at once when there is news (events, a slot became free, changed info), else when the
// coordinator asked
//   for it. One is in flight at a time. Failed ones are repeated for ever with jittered back-off; training
//   goes on and events are kept meanwhile.
// - Leases that are held already are ignored; those that find no free slot are handed back as preempted at
// once. Leases of one
//   bundle go to one trainer and take up one slot until all their attempts are over.
// - A trainer that dies while it trains one job has failed that job. With several jobs, in one bundle or not,
// the guilty one is
//   unknown: all are handed back as preempted, to be retried alone, and the device takes one job or bundle at
//   a time; each job that ends well doubles that limit up to the device's slots, a job that brings its trainer
//   down alone is the guilty one and lifts it.
// - An attempt without a sign of life for `hang_timeout` costs its trainer's life and counts as failed; the
// trainer's
//   other jobs are handed back as preempted. A sign of life of one attempt counts for its whole bundle, whose
//   branches train one after the other. If a bundle of several hangs, none is blamed: all are handed back, to
//   be retried alone.
// - A trainer that exits with kTrainerUsage before it says hello will never start: that ends the worker.
// - Drain: no more jobs, what runs is handed back as preempted, one last Sync; over when everything is
// acknowledged, after
//   `drain_timeout`, or after three failed calls in a row.
// - With a folder for checkpoints: a checkpoint is uploaded when the trainer has written it, a model when the end of its
//   attempt is stored, one at a time. Leases with checkpoints take up their slot at once, and begin when the first of them is
// here, or none can be had. A checkpoint is dropped when the attempt has two newer ones or a result. Draining waits for models.
// - A Sync answered with ABORTED (a newer worker of this name) or FAILED_PRECONDITION (versions) ends the
// worker, and so does the first one if its token or certificate is refused.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "common/base/backoff.h"
#include "common/base/status.h"
#include "worker/agent/attempt_book.h"
#include "worker/agent/sync_messages.h"
#include "worker/agent/sync_schedule.h"
#include "worker/agent/trainer_events.h"
#include "worker/agent/transfers.h"

namespace gridsweep::agent {

// The exit status of a trainer that cannot work with its flags or this machine, as docs/trainer-protocol.md has it.
inline constexpr int kTrainerUsage = 2;

struct AgentOptions {
  std::string worker;
  std::string session;
  absl::Duration hang_timeout = absl::Seconds(300);
  absl::Duration stop_timeout = absl::Seconds(10);  // for a trainer to let go of a job it was told to stop
  absl::Duration drain_timeout = absl::Seconds(20);
  BackoffPolicy reconnect{absl::Milliseconds(500), absl::Seconds(10)};
  BackoffPolicy restart{absl::Milliseconds(200),
                        absl::Seconds(30)};  // of a trainer, by deaths since a job last ended well
  std::function<double()> jitter;            // uniform in [0, 1)
  bool checkpoints = false;                  // there is a folder for them
};

// What the outside has to do. `device` is an index into the worker's devices.
struct StartTrainer {
  size_t device;
};
struct WriteLine {  // to the trainer's stdin, newline included
  size_t device;
  std::string line;
};
struct KillTrainer {  // its exit is still to be reported
  size_t device;
};
using Action =
    std::variant<StartTrainer, WriteLine, KillTrainer, UploadArtifact, FetchArtifact, DropArtifact>;

struct TrainerExit {
  std::string description;  // "killed by SIGSEGV", "exit status 3"
  std::string stderr_tail;
  std::optional<int> status = {};  // none if a signal ended it
};

// Not thread-safe. `now` is monotonic and never goes back.
class AgentCore {
 public:
  // Asks for one trainer per device of `info`.
  AgentCore(AgentOptions options, WorkerInfo info, absl::Duration now);

  void OnTrainerEvent(absl::Duration now, size_t device, const TrainerEvent& event);
  void OnTrainerExit(absl::Duration now, size_t device, const TrainerExit& exit);
  void OnSyncResponse(absl::Duration now, const SyncResponse& response);
  // CANCELLED is no failure when Drain found a request in flight, which is then to be cancelled.
  void OnSyncError(absl::Duration now, const absl::Status& error);
  void OnDatasets(std::vector<std::string> datasets);
  // The outcome of an UploadArtifact and of a FetchArtifact.
  void OnUploaded(absl::Duration now, const absl::Status& status);
  void OnArtifact(absl::Duration now, const std::string& sha256, const absl::Status& status);
  void Drain(absl::Duration now);
  // This process did not run for a while (suspend, SIGSTOP) and may have signs of life waiting unread: no
  // trainer is to be blamed for its silence until now.
  void Pardon(absl::Duration now);
  // Whatever depends on time alone: restarts, hangs, deadlines.
  void Tick(absl::Duration now);

  // Actions decided since the last call, in order.
  std::vector<Action> TakeActions();
  // The request to send now, or nullopt if none is due or one is in flight. Its outcome must be reported.
  std::optional<SyncRequest> TakeSync(absl::Duration now);
  // When Tick or TakeSync has something to do if nothing else happens; InfiniteDuration if never.
  absl::Duration NextWakeup(absl::Duration now) const;
  // Set once the worker is over: OK after a drain, ABORTED or FAILED_PRECONDITION if the coordinator refused
  // it, FAILED_PRECONDITION if its trainer refuses to start.
  const std::optional<absl::Status>& ended() const { return ended_; }

  // Files in the folder that are still needed.
  std::set<std::string> ReferencedFiles() const;

  int Room() const;
  const WorkerInfo& info() const { return info_; }

 private:
  enum class TrainerPhase { kDown, kStarting, kReady, kDying };
  struct Trainer {
    TrainerPhase phase = TrainerPhase::kDown;
    absl::Duration since;        // kDown: restart at; kStarting: started at
    int deaths = 0;              // since a job last ended well
    int limit = 1;               // jobs or bundles it may train at a time now
    int64_t complaints = 0;      // that belong to no job
    int64_t hung = 0;            // attempt it was killed for, or the first of the bundle
    std::string killed_because;  // other reason it was killed for
  };

  void StartTrainerOf(absl::Duration now, size_t device);
  void Kill(size_t device);
  void OnHello(size_t device, const TrainerHello& hello);
  void OnAttemptEvent(absl::Duration now, Attempt& attempt, const TrainerEvent& event);
  void OnEndedWell(size_t device);
  void AcceptLeases(absl::Duration now, const std::vector<Lease>& leases);
  // Starts leases that are not held yet together in one slot.
  void StartTogether(absl::Duration now, const std::vector<Lease>& leases);
  std::optional<size_t> FreeDevice() const;
  void Finish(Attempt& attempt, AttemptFinished finished);
  void HandBack(Attempt& attempt, std::string reason, bool retry_alone = false);
  // The data set is broken here: another worker may do better, and the job is not to blame.
  void HandBackForData(Attempt& attempt, AttemptFinished finished);
  void StopAttempt(absl::Duration now, int64_t id);
  void OnFile(Attempt& attempt, const TrainerFile& file);
  // Has the trainers begin what waits for no file any more.
  void BeginStarts(absl::Duration now);
  void PlanTransfers(absl::Duration now);
  bool HasNews() const;
  absl::Duration NextSync(absl::Duration now) const;
  void EndDrainIfDone(absl::Duration now);

  // Immutable after construction.
  const AgentOptions options_;

  WorkerInfo info_;
  std::vector<Trainer> trainers_;  // by device
  AttemptBook book_;
  std::vector<Action> actions_;
  UploadQueue uploads_;
  std::vector<WaitingStart> starts_;
  std::string fetching_;           // empty: nothing
  std::set<std::string> useless_;  // to be dropped once nothing refers to them

  SyncSchedule sync_;
  bool info_due_ = true;  // the coordinator does not have info_
  bool info_in_flight_ = false;
  int known_room_ = 0;  // the most the coordinator may think there is
  std::optional<absl::Duration> drain_deadline_;
  std::optional<absl::Status> ended_;
};

}  // namespace gridsweep::agent
