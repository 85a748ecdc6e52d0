// Trains the jobs of a bundle: epochs that several have in common once, and each one's own.
//
// Jobs that differ in the scheduler alone are the same training until their learning rates first differ. They
// begin as one group; after an epoch in which the schedulers' answers part, the group falls apart by learning
// rate: one part goes on, the others wait with a copy of the state (weights, running statistics, optimizer,
// generators) and go on from it later. So every job's numbers are, bit for bit, those of training it alone.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "worker/trainer/components/registry.h"
#include "worker/trainer/device_dataset.h"
#include "worker/trainer/evaluation.h"
#include "worker/trainer/job_listener.h"
#include "worker/trainer/training_session.h"

namespace gridsweep {

struct BundleJob {
  JobSpec spec;
  JobListener* listener;
};

// Not thread-safe. Borrows the registry and the listeners.
class BundleTraining {
 public:
  // REQUIRES: `jobs` is not empty; their specs are resolved and differ in scheduler and objective alone.
  BundleTraining(std::vector<BundleJob> jobs, const Registry& registry,
                 std::shared_ptr<const DeviceDataset> data, at::Device device, Kernels kernels);

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
    std::unique_ptr<Scheduler> scheduler;
    std::vector<EpochMetrics> epochs;
    std::optional<Measurement> objective_test;  // of the objective's epoch so far
    bool over = false;
  };
  using Group = std::vector<Branch*>;  // jobs whose learning rates have not parted

  // The training between two epochs.
  struct Checkpoint {
    SessionState session;
    at::Tensor shuffle;
  };
  // A group that waits to go on.
  struct Fork {
    Group group;
    int64_t epoch;                           // next
    double lr;                               // of that epoch
    std::shared_ptr<const Checkpoint> from;  // nullptr: the session is there already
  };

  // Trains a group until it ends; parts that leave it go to forks_.
  void Follow(Fork fork);
  // Trains and measures one epoch. nullopt if nobody in the group wants it any more.
  std::optional<EpochMetrics> RunEpoch(const Group& group, int64_t epoch, double lr, Measurement& test);
  bool Train(EpochMetrics& metrics, const BatchDone& done);
  int64_t NextBatch(int64_t left) const;
  // Ends the jobs that were stopped. Returns whether any of the group is left.
  bool EndStopped(const Group& group);
  static void End(Branch& branch, const absl::StatusOr<JobOutcome>& outcome);
  JobOutcome Succeeded(const Branch& branch) const;

  const std::shared_ptr<const DeviceDataset> data_;
  const at::Device device_;
  std::vector<Branch> branches_;
  const TrainingSpec training_;
  TrainingSession session_;
  at::Generator shuffle_;
  at::Tensor train_;              // int64 indices into the training set, on the CPU
  at::Tensor validation_, test_;  // on the device
  std::vector<Fork> forks_;
};

}  // namespace gridsweep
