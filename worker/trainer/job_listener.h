// What a job tells the world while it runs, and how it ends. Free of LibTorch.
#pragma once

#include <functional>
#include <string>

#include "common/base/json.h"
#include "common/job/metrics.h"

namespace gridsweep {

class JobListener {
 public:
  virtual ~JobListener() = default;
  // The data is read; training begins.
  virtual void Started(const DatasetInfo& dataset) = 0;
  // About once a second. `fraction` of the epoch's work is done, in [0, 1].
  virtual void Progress(int64_t epoch, double fraction) = 0;
  virtual void Epoch(const EpochMetrics& metrics) = 0;
  // Asked after each batch: true once the job should be given up.
  virtual bool Stopped() const = 0;
};

struct JobOutcome {
  enum class End { kSucceeded, kDiverged, kStopped };
  End end = End::kSucceeded;
  std::string error;      // why it diverged
  Evaluation evaluation;  // of a job that succeeded
};

// Runs one job document to its end. INVALID_ARGUMENT and NOT_FOUND mean that the document can never be run;
// every other error may go away on another attempt. After ABORTED this process cannot train any more: its
// device is broken. Called from several threads at once.
using RunJobFunction = std::function<absl::StatusOr<JobOutcome>(const Json& job, JobListener& listener)>;

}  // namespace gridsweep
