// Rows that both the writer and the readers fetch.
#pragma once

#include <string>
#include <vector>

#include "common/results/ranking.h"
#include "coordinator/store/sqlite_db.h"
#include "coordinator/store/store.h"

namespace gridsweep {

// Metric, goal and rule in columns `first`, `first` + 1, `first` + 2.
absl::StatusOr<Objective> ReadObjective(const Statement& row, int first);

// The stored epochs of an attempt, in order.
absl::StatusOr<std::vector<EpochMetrics>> ReadEpochs(Db& db, AttemptId attempt);

// All cells of a sweep with their jobs, in grid order and within a cell by seed.
absl::StatusOr<std::vector<CellResults>> ReadCells(Db& db, SweepId sweep);
// What each has to show, likewise; ordinals are the cells' ids.
absl::StatusOr<std::vector<CellObjectives>> ReadObjectives(Db& db, SweepId sweep);
// The `limit` best of those that have a mean.
absl::StatusOr<std::vector<CellResults>> ReadBestCells(Db& db, SweepId sweep, Goal goal, int64_t limit);
// The cell that `job` belongs to, without labels.
absl::StatusOr<CellResults> ReadCellOfJob(Db& db, JobId job);

// Of the job's accepted attempt; empty without one.
absl::StatusOr<Evaluation> ReadEvaluation(Db& db, JobId job);

}  // namespace gridsweep
