// Training between two epochs, as a file: whoever goes on from it has, bit for bit, the undisturbed run.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/job/metrics.h"
#include "worker/trainer/evaluation.h"
#include "worker/trainer/training_session.h"

namespace gridsweep {

struct TrainingState {
  SessionState session;
  at::Tensor shuffle;  // state of the generator
};

// An epoch that counts for a job's objective: its measurement on the test set and the model that was measured.
struct EpochRecord {
  int64_t epoch = 0;
  Measurement test;
  ModelState model;  // undefined where nothing is ever written
};

struct Checkpoint {
  TrainingState state;
  std::vector<EpochMetrics> epochs;  // from the first one, not empty
  // By epoch: those that count so far for the objectives of the jobs that it was written for.
  std::map<int64_t, std::shared_ptr<const EpochRecord>> records;
};

// What two trainings must have in common to go on from each other's checkpoints, besides the learning rates so far.
struct CheckpointIdentity {
  std::string job;          // canonical, on the data `digest`; without scheduler and objective
  std::string environment;  // see TrainerIdentity
  std::string version;      // of gridsweep: another one may lay the state out otherwise

  static CheckpointIdentity Of(JobSpec spec, const std::string& digest, const std::string& environment);
};

// RESOURCE_EXHAUSTED if it would be too large for a CheckpointFolder. May throw what LibTorch throws.
absl::StatusOr<std::string> WriteCheckpoint(const Checkpoint& checkpoint, const CheckpointIdentity& identity);

// Trusts nothing in `file` and throws nothing. INVALID_ARGUMENT, FAILED_PRECONDITION if the identity is another,
// RESOURCE_EXHAUSTED for no memory. Whether the tensors fit a session only the session knows.
absl::StatusOr<Checkpoint> ReadCheckpoint(std::string_view file, const CheckpointIdentity& identity);

}  // namespace gridsweep
