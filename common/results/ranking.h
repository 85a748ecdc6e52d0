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
#include "common/results/standings.h"

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
  int64_t rank = 0;   // Standing::rank; equal means share a rank; 0 without a result
  bool tied = false;  // shares the first rank: cannot be told apart from the leader
  std::vector<std::string> labels;
  int64_t n = 0;
  std::optional<double> mean;
  std::optional<double> sd;  // sample standard deviation, n >= 2
  std::optional<double> ci;  // half width of the 95 % confidence interval of the mean, see MeanInterval
  Evidence evidence = Evidence::kNone;  // what `ci` rests on
  std::optional<Difference> behind;     // the leader minus this cell, see Standing
  std::optional<double> best_probability;
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

// A cell's figures alone, without a rank.
RankedRow SummarizeCell(CellResults cell, const Measure& measure);

// What the cells have to show, for CompareWithLeader.
std::vector<CellObjectives> ObjectivesOf(const std::vector<CellResults>& cells);

// Rows in the order of means: cells with a result by mean in the goal's direction, then more seeds first, then ordinal;
// then cells whose jobs are unfinished; then diverged; then failed and cancelled ones. Ranks by CompareWithLeader: a cell
// further down, if its seeds scatter more, can share the first rank when one above it does not.
std::vector<RankedRow> RankCells(std::vector<CellResults> cells, const Measure& measure);

// Likewise for some cells of a sweep, the first ones or all, with the standings of all its cells.
std::vector<RankedRow> RankFirstCells(std::vector<CellResults> first, const std::vector<Standing>& standings,
                                      const Measure& measure);

// FewSeedsNote of a ranked table in which `compared` differences from the leader were tested and `tied` cells share the first
// rank; empty where nothing is tied, or no row was compared over seeds.
std::string FewSeedsNote(const std::vector<RankedRow>& rows, int64_t compared, int64_t tied);

// One row per level of axis `axis` (index into labels), ranked by the mean of the level's best cell. `mean`,
// `ci`, test and train figures are those of the best cell; `cells`, `jobs` count the level; `best_label`
// names the best cell by its other labels that vary within the sweep. Levels whose best cell shares the first rank share it.
std::vector<RankedRow> CompareLevels(std::vector<CellResults> cells, const Measure& measure, size_t axis);

// Reorders `rows` by a column: "rank", "mean" or the name of the metric whose means they are, "ci95", "sd", "best_probability",
// "test_accuracy", "test_loss", "train_loss", "seconds", "best_epoch", "n" or an axis's name; a leading "-" reverses. Rows
// without a value go last. Returns INVALID_ARGUMENT listing the columns.
absl::Status SortRows(std::vector<RankedRow>& rows, const std::string& column,
                      const std::vector<std::string>& axes, std::string_view metric);

}  // namespace gridsweep
