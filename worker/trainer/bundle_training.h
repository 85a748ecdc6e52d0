// Trains the jobs of a bundle: epochs that several have in common once, and each one's own.
//
// Jobs that differ in the scheduler alone are the same training until their learning rates first differ. They
// begin as one group; after an epoch in which the schedulers' answers part, the group falls apart by learning
// rate: one part goes on, the others wait with a copy of the state (weights, running statistics, optimizer,
// generators) and go on from it later. So every job's numbers are, bit for bit, those of training it alone.
//
// With a folder for checkpoints that same state is written between epochs, and jobs begin as one group for each
// checkpoint and learning rate that they go on from. Going on is, bit for bit, not having been interrupted.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "worker/trainer/checkpoint.h"
#include "worker/trainer/checkpoint_folder.h"
#include "worker/trainer/components/registry.h"
#include "worker/trainer/device_dataset.h"
#include "worker/trainer/evaluation.h"
#include "worker/trainer/job_listener.h"
#include "worker/trainer/training_session.h"

namespace gridsweep {

struct BundleJob {
  JobSpec spec;
  JobListener* listener;
  std::vector<std::string> resume;  // checkpoints to go on from, best first; the first usable one counts
};

struct CheckpointSettings {
  std::optional<CheckpointFolder> folder;  // without one nothing is written, and `resume` is ignored
  double interval_seconds = 30;            // least time between two of one group
  std::string environment;                 // see TrainerIdentity
};

// Not thread-safe. Borrows the registry, the listeners and the settings.
class BundleTraining {
 public:
  // REQUIRES: `jobs` is not empty; their specs are resolved and differ in scheduler and objective alone.
  BundleTraining(std::vector<BundleJob> jobs, const Registry& registry,
                 std::shared_ptr<const DeviceDataset> data, at::Device device, Kernels kernels,
                 const CheckpointSettings& checkpoints);

  // Returns INVALID_ARGUMENT if the batches are too small for the model.
  absl::Status Check() const;

  // Trains all jobs to their ends and tells their listeners. May throw what LibTorch throws: then some jobs have
  // not ended, see Unfinished.
  void Run();

  // Listeners whose job has not ended.
  std::vector<JobListener*> Unfinished() const;

 private:
  // A job, and what it has seen.
  struct Branch {
    JobSpec spec;
    JobListener* listener;
    std::vector<std::string> resume;
    std::unique_ptr<Scheduler> scheduler;
    std::vector<EpochMetrics> epochs;
    std::shared_ptr<const EpochRecord> objective;  // of the objective's epoch so far
    bool over = false;
  };
  using Group = std::vector<Branch*>;  // jobs whose learning rates have not parted

  // A group that waits to go on.
  struct Fork {
    Group group;
    int64_t epoch;                              // next
    double lr;                                  // of that epoch
    std::shared_ptr<const TrainingState> from;  // nullptr: the session is there already
  };
  // By SHA-256, so that each is read once however many jobs go on from it.
  using CheckpointCache = std::map<std::string, absl::StatusOr<std::shared_ptr<const Checkpoint>>>;

  // What each job goes on from, which it is told; in groups, the one from scratch last.
  std::vector<Fork> Begin();
  // The checkpoint that `branch` goes on from, which is in the branch afterwards, and the learning rate then. Without one
  // `from` is nullptr. `unusable` are those that were tried in vain, and why.
  struct Start {
    std::shared_ptr<const Checkpoint> from;
    double lr;
    std::vector<std::pair<std::string, absl::Status>> unusable;
  };
  Start StartOf(Branch& branch, CheckpointCache& cache) const;
  absl::StatusOr<std::shared_ptr<const Checkpoint>> ReadUsable(const std::string& sha256) const;
  // Puts what `checkpoint` knows into `branch` and returns the next learning rate. FAILED_PRECONDITION, and the branch as it
  // was, if it cannot go on from there.
  absl::StatusOr<double> Adopt(const Checkpoint& checkpoint, Branch& branch) const;
  // Trains a group until it ends; parts that leave it go to forks_.
  void Follow(Fork fork);
  // Trains and measures one epoch. nullopt if nobody in the group wants it any more.
  std::optional<EpochMetrics> RunEpoch(const Group& group, int64_t epoch, double lr, Measurement& test);
  bool Train(EpochMetrics& metrics, const BatchDone& done);
  int64_t NextBatch(int64_t left) const;
  // Ends the jobs that were stopped. Returns whether any of the group is left.
  bool EndStopped(const Group& group);
  std::shared_ptr<const EpochRecord> Record(int64_t epoch, const Measurement& test) const;
  // What cannot be written is a warning, no failure.
  void StoreCheckpoint(const Group& group);
  void StoreModel(const Branch& branch) const;
  static void End(Branch& branch, const absl::StatusOr<JobOutcome>& outcome);
  JobOutcome Succeeded(const Branch& branch) const;

  const Registry& registry_;
  const CheckpointSettings& checkpoints_;
  const std::shared_ptr<const DeviceDataset> data_;
  const at::Device device_;
  std::vector<Branch> branches_;
  const TrainingSpec training_;
  const double first_lr_;
  const CheckpointIdentity identity_;
  TrainingSession session_;
  at::Generator shuffle_;
  at::Tensor train_;              // int64 indices into the training set, on the CPU
  at::Tensor validation_, test_;  // on the device
  std::vector<Fork> forks_;
};

}  // namespace gridsweep
