// What the fake trainer reports: numbers that are a pure function of the job, so that the ranked table of a sweep is one
// too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/base/json.h"
#include "common/base/status.h"
#include "common/schedule/scheduler.h"

namespace gridsweep {

// One attempt. Its numbers are a pure function of the job without its scheduler and of the learning rates so far, so jobs
// have the same until their rates part, as with a real trainer.
struct RunningJob {
  Json job;
  Json prefix;                           // without scheduler and digest
  std::unique_ptr<Scheduler> scheduler;  // none if the job's document does not tell
  double lr = 0.001;
  std::string path;               // a hash of the rates so far
  std::vector<size_t> shared_by;  // of the epochs so far: jobs that each was trained once for
  bool ignores_stop = false;
};

// `job` as the worker sent it.
RunningJob MakeRunningJob(const Json& job);

// Of the data set of this name, whatever the files hold.
std::string FakeDigest(const std::string& dataset);

// Takes the present learning rate into account: an epoch was trained with it, once for so many jobs.
void TakeEpoch(RunningJob& running, size_t shared_by = 1);
// The learning rate of the next epoch, after that of `event`.
void NextRate(RunningJob& running, const Json& event);

// On the data set of the job, of the digest above.
Json StartedEvent(int64_t attempt, const RunningJob& running, const std::string& device,
                  const std::string& environment);

// Accuracy rises and loss falls with the epoch towards values that belong to the cell, give or take a bit per seed and
// learning rate.
Json EpochEvent(int64_t attempt, const RunningJob& running, int64_t epoch, size_t shared_by);

// What a checkpoint says of where `running` is, and the way back: brings `running`, which has not begun, there and returns the
// events of its epochs so far. FAILED_PRECONDITION, changing nothing, if it is of another job.
std::map<std::string, std::string> Progress(const RunningJob& running);
absl::StatusOr<std::vector<Json>> GoOnFrom(std::map<std::string, std::string> progress, int64_t attempt,
                                           RunningJob& running);

// Succeeded, with three classes of ten images and four predictions.
Json FinishedEvent(int64_t attempt, const RunningJob& running);

}  // namespace gridsweep
