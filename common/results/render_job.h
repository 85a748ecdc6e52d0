// One job in detail: how it learned, what it confuses, what it says about sample images, who ran it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/job/metrics.h"
#include "common/results/table_formats.h"

namespace gridsweep {

struct AttemptReport {
  int64_t number = 0;
  std::string state;
  bool accepted = false;  // its result is the job's result
  std::string worker;
  std::string device;
  std::string environment;
  absl::Time started;
  std::optional<absl::Time> ended;
  std::string error;
  std::string stderr_tail;
  int64_t resumed_epoch = 0;  // it went on from the checkpoint of this epoch; 0: from scratch
};

struct JobReport {
  int64_t id = 0;
  int64_t sweep = 0;
  std::string sweep_name;
  std::string state;
  std::vector<std::string> axes;
  std::vector<std::string> labels;  // one per axis
  int64_t seed = 0;
  std::string metric;  // the sweep's objective
  std::optional<double> objective;
  int64_t objective_epoch = 0;
  std::string error;
  std::string key;
  std::string params_json;
  std::vector<EpochMetrics> epochs;
  Evaluation evaluation;
  DatasetInfo dataset;
  std::vector<AttemptReport> attempts;
};

// A pair of classes that the model mixes up.
struct Confusion {
  int64_t actual = 0;
  int64_t predicted = 0;
  int64_t count = 0;
  double share = 0;  // of the images of class `actual`
};

// The off-diagonal cells of a classes × classes matrix, most frequent first, at most `limit`; empty if the
// matrix is not square.
std::vector<Confusion> WorstConfusions(const std::vector<int64_t>& confusion, int64_t limit);

// CSV and Markdown hold the epochs, one row each; table and JSON hold everything.
std::string RenderJob(const JobReport& job, OutputFormat format, const Screen& screen);

}  // namespace gridsweep
