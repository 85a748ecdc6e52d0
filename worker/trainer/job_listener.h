// What a job tells the world while it runs, and how it ends. Free of LibTorch.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/base/json.h"
#include "common/job/metrics.h"
#include "worker/trainer/checkpoint_folder.h"

namespace gridsweep {

struct JobOutcome {
  enum class End { kSucceeded, kDiverged, kStopped };
  End end = End::kSucceeded;
  std::string error;      // why it diverged, or was stopped without having been asked to
  Evaluation evaluation;  // of a job that succeeded
  // With kStopped: work that it shared with others failed. Whose fault that is only shows when each is run alone.
  bool retry_alone = false;
};

class JobListener {
 public:
  virtual ~JobListener() = default;
  // The data is read; training begins, or goes on after `resumed_epoch` where that is not 0: then Epoch is called for the
  // epochs up to it at once.
  virtual void Started(const DatasetInfo& dataset, int64_t resumed_epoch) = 0;
  // One of the checkpoints to go on from cannot be used. After Started.
  virtual void CheckpointUnusable(const std::string& sha256, const absl::Status& why) = 0;
  // About once a second. `fraction` of the epoch's work is done, in [0, 1].
  virtual void Progress(int64_t epoch, double fraction) = 0;
  virtual void Epoch(const EpochMetrics& metrics) = 0;
  // The training after `epoch` is on disk.
  virtual void Checkpointed(int64_t epoch, const StoredFile& file) = 0;
  // The model of the objective's epoch is on disk. Before Ended.
  virtual void ModelStored(int64_t epoch, const StoredFile& file) = 0;
  // Something went wrong that the job does not need.
  virtual void Warned(const std::string& what) = 0;
  // Asked after each batch: true once the job should be given up.
  virtual bool Stopped() const = 0;
  // The last call. INVALID_ARGUMENT and NOT_FOUND mean that the job can never be run, UNAVAILABLE that its data
  // set cannot be read here; every other error may go away on another attempt.
  virtual void Ended(const absl::StatusOr<JobOutcome>& outcome) = 0;
};

struct JobTask {
  Json document;
  JobListener* listener;            // not owned
  std::vector<std::string> resume;  // SHA-256 of checkpoints, best first
};

// Runs one job to its end, or a bundle: jobs that differ in the scheduler alone, whose common epochs are trained
// once. Their numbers are those of each run alone. Ends every listener. Returns ABORTED when this process cannot
// train any more because its device is broken. Called from several threads at once.
using RunJobsFunction = std::function<absl::Status(const std::vector<JobTask>& tasks)>;

}  // namespace gridsweep
