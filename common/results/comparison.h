// Two jobs, or two cells over their seeds, side by side. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/results/difference.h"
#include "common/results/render_job.h"

namespace gridsweep {

// One of the two: a job, or all jobs of a cell.
struct ComparedSide {
  std::string name;             // "job 17", "cell of job 17 (3 seeds)"
  std::vector<JobReport> jobs;  // by seed; those without a result count for nothing but their parameters
};

struct ParameterDifference {
  std::string name;  // "optimizer.params.lr"
  std::string a;     // JSON text; empty: the side has no such parameter
  std::string b;
};

// A metric at the epochs that count.
struct MetricDifference {
  std::string metric;  // "val_accuracy"; "seconds" for what a job cost
  std::optional<MeanInterval> a;
  std::optional<MeanInterval> b;
  std::optional<Difference> difference;  // a minus b
};

// One epoch of both learning curves, means over the jobs that have it.
struct EpochDifference {
  int64_t epoch = 0;
  std::optional<double> a;
  std::optional<double> b;
};

// What the two say about one image of the sample, over the seeds that both have.
struct ImageDifference {
  int64_t image = 0;   // position in the test set
  int64_t actual = 0;  // label
  int64_t seeds = 0;
  int64_t a_right = 0;
  int64_t b_right = 0;
  int64_t a_says = 0;  // the label said most often, the lowest among equals
  int64_t b_says = 0;
};

// A pair of classes that one mixes up more often than the other, in images of the test set a job.
struct ConfusionDifference {
  int64_t actual = 0;
  int64_t predicted = 0;
  double a = 0;
  double b = 0;
};

struct Comparison {
  std::vector<ParameterDifference> parameters;
  std::vector<MetricDifference> metrics;
  std::string curve_metric;
  std::vector<EpochDifference> curve;
  // Predictions of jobs with the same seed for the same image, counted.
  int64_t both_right = 0;
  int64_t only_a_right = 0;
  int64_t only_b_right = 0;
  int64_t both_wrong = 0;
  std::vector<ImageDifference> images;  // those that are not predicted alike, greatest difference first
  std::vector<ConfusionDifference>
      confusions;  // greatest difference first; right predictions are not among them
};

// `curve_metric`: of the learning curves, empty for the objective of `a`. INVALID_ARGUMENT if the sides are of different data
// sets, or the metric does not exist.
absl::StatusOr<Comparison> CompareSides(const ComparedSide& a, const ComparedSide& b,
                                        std::string curve_metric);

}  // namespace gridsweep
