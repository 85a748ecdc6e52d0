// Ranking of cells over seeds, and comparison of an axis's levels. Pure; the order of the input cannot change
// a digit.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/job/job_spec.h"
#include "common/job/job_state.h"

namespace gridsweep {

// One job as the ranking sees it. Metric fields are those of the objective's epoch and only meaningful with a
// result.
struct JobResult {
  int64_t job = 0;
  int64_t seed = 0;
  JobState state = JobState::kPending;
  std::optional<double> objective;  // finite, or absent
  int64_t objective_epoch = 0;
  std::optional<double> test_accuracy;
  std::optional<double> test_loss;
  std::optional<double> train_loss;
  // What the accepted attempt cost: epochs that were trained for several jobs at once count for each with its share.
  std::optional<double> seconds;
  std::optional<double> shared_epochs;  // of the accepted attempt, trained for several jobs at once
  std::string error;
};

struct CellResults {
  int64_t cell = 0;                 // id in the store
  int64_t ordinal = 0;              // position in the grid: the last tie-break
  std::vector<std::string> labels;  // one per axis, in axis order
  std::vector<JobResult> jobs;
};

struct StateCounts {
  int64_t pending = 0, running = 0, succeeded = 0, diverged = 0, failed = 0, cancelled = 0;
  int64_t total() const { return pending + running + succeeded + diverged + failed + cancelled; }
  void Add(JobState state, int64_t n = 1);
};

// A row of the ranked table. Means are over the seeds that succeeded with a finite objective, summed in seed
// order.
struct RankedRow {
  int64_t rank = 0;  // 1 + number of rows strictly better; equal means share a rank; 0 without a result
  std::vector<std::string> labels;
  int64_t n = 0;
  std::optional<double> mean;
  std::optional<double> sd;  // sample standard deviation, n >= 2
  // Half width of the 95 % confidence interval of the mean, t(0.975, n-1)·sd/√n (Student 1908), n >= 2.
  std::optional<double> ci;
  std::optional<double> test_accuracy;
  std::optional<double> test_loss;
  std::optional<double> train_loss;
  std::optional<double> best_epoch;
  std::optional<double> seconds;
  std::optional<double> shared_epochs;
  StateCounts jobs;
  std::string note;  // "1 of 3 diverged", "failed: <error>", "2 of 3 pending"; empty if all succeeded
  int64_t cell = 0;
  int64_t ordinal = 0;
  std::vector<int64_t> job_ids;  // in seed order
  // Only in CompareLevels:
  int64_t cells = 0;
  std::string best_label;
};

// Rows by rank: cells with a result by mean in the goal's direction, then more seeds first, then ordinal;
// then cells whose jobs are unfinished; then diverged; then failed and cancelled ones.
std::vector<RankedRow> RankCells(std::vector<CellResults> cells, Goal goal);

// One row per level of axis `axis` (index into labels), ranked by the mean of the level's best cell. `mean`,
// `ci`, test and train figures are those of the best cell; `cells`, `jobs` count the level; `best_label`
// names the best cell by its other labels that vary within the sweep.
std::vector<RankedRow> CompareLevels(std::vector<CellResults> cells, Goal goal, size_t axis);

// Reorders `rows` by a column: "rank", "mean" or the name of the metric whose means they are, "ci95", "sd",
// "test_accuracy", "test_loss", "train_loss", "seconds", "best_epoch", "n" or an axis's name; a leading "-" reverses. Rows
// without a value go last. Returns INVALID_ARGUMENT listing the columns.
absl::Status SortRows(std::vector<RankedRow>& rows, const std::string& column,
                      const std::vector<std::string>& axes, std::string_view metric);

// t(0.975, df): the two-sided 95 % quantile of Student's t with df >= 1 degrees of freedom, to 1e-6 relative.
double StudentT975(int64_t df);

}  // namespace gridsweep
