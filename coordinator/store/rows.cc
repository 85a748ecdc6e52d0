#include "coordinator/store/rows.h"

#include "common/base/json.h"
#include "coordinator/store/epoch_row.h"

namespace gridsweep {
namespace {

// One job as the ranking sees it, from jobs j, its accepted attempt a and the objective's epoch e.
constexpr char kJobResultColumns[] =
    "j.id, j.seed, j.state, j.objective, j.objective_epoch, e.test_accuracy, e.test_loss, e.train_loss, "
    "a.seconds, a.shared_epochs, CASE WHEN j.state IN ('failed', 'diverged') THEN (SELECT b.error FROM attempts b WHERE b.job "
    "= j.id "
    "AND b.state NOT IN ('open', 'succeeded') ORDER BY b.number DESC LIMIT 1) END";
// A sweep's cells are stored at once: their ids are one range, in the order of the grid.
constexpr char kCellsOfSweep[] =
    "(SELECT id FROM cells WHERE sweep = ?1 ORDER BY ordinal LIMIT 1) AND "
    "(SELECT id FROM cells WHERE sweep = ?1 ORDER BY ordinal DESC LIMIT 1)";
constexpr char kJobResultJoins[] =
    "LEFT JOIN attempts a ON a.id = j.accepted_attempt "
    "LEFT JOIN epochs e ON e.attempt = j.accepted_attempt AND e.epoch = j.objective_epoch";

absl::StatusOr<JobResult> ReadJobResult(const Statement& row, int first) {
  JobResult result;
  result.job = row.Int(first);
  result.seed = row.Int(first + 1);
  GS_ASSIGN_OR_RETURN(result.state, ParseJobState(row.Text(first + 2)));
  result.objective = row.OptionalReal(first + 3);
  result.objective_epoch = row.Int(first + 4);
  result.test_accuracy = row.OptionalReal(first + 5);
  result.test_loss = row.OptionalReal(first + 6);
  result.train_loss = row.OptionalReal(first + 7);
  result.seconds = row.OptionalReal(first + 8);
  result.shared_epochs = row.OptionalReal(first + 9);
  result.error = row.Text(first + 10);
  return result;
}

}  // namespace

absl::StatusOr<Objective> ReadObjective(const Statement& row, int first) {
  Objective objective;
  GS_ASSIGN_OR_RETURN(objective.metric, ParseMetric(row.Text(first)));
  GS_ASSIGN_OR_RETURN(objective.goal, ParseGoal(row.Text(first + 1)));
  GS_ASSIGN_OR_RETURN(objective.epoch, ParseEpochRule(row.Text(first + 2)));
  return objective;
}

absl::StatusOr<std::vector<EpochMetrics>> ReadEpochs(Db& db, AttemptId attempt) {
  std::vector<EpochMetrics> epochs;
  GS_ASSIGN_OR_RETURN(
      Statement rows,
      db.Query(fmt::format("SELECT {} FROM epochs WHERE attempt = ?1 ORDER BY epoch", kEpochColumns),
               attempt.value));
  while (true) {
    GS_ASSIGN_OR_RETURN(const bool more, rows.Step());
    if (!more) return epochs;
    epochs.push_back(ReadEpoch(rows, 0));
  }
}

namespace {

// Jobs with their results, grouped to cells. `which` says of which cells c.
template <typename... Args>
absl::StatusOr<std::vector<CellResults>> ReadCellsWhere(Db& db, std::string_view which, const Args&... args) {
  std::vector<CellResults> cells;
  GS_ASSIGN_OR_RETURN(
      Statement rows,
      db.Query(
          fmt::format(
              "SELECT c.id, c.ordinal, c.model, c.activation, c.optimizer, c.regularization, c.scheduler, "
              "{} FROM cells c CROSS JOIN jobs j ON j.cell = c.id {} WHERE {} ORDER BY c.ordinal, j.seed",
              kJobResultColumns, kJobResultJoins, which),
          args...));
  while (true) {
    GS_ASSIGN_OR_RETURN(const bool more, rows.Step());
    if (!more) return cells;
    if (cells.empty() || cells.back().cell != rows.Int(0)) {
      CellResults cell{.cell = rows.Int(0), .ordinal = rows.Int(1), .labels = {}, .jobs = {}};
      for (int axis = 0; axis < kAxisCount; ++axis) cell.labels.push_back(rows.Text(2 + axis));
      cells.push_back(std::move(cell));
    }
    GS_ASSIGN_OR_RETURN(JobResult result, ReadJobResult(rows, 2 + kAxisCount));
    cells.back().jobs.push_back(std::move(result));
  }
}

}  // namespace

absl::StatusOr<std::vector<CellResults>> ReadCells(Db& db, SweepId sweep) {
  return ReadCellsWhere(db, "c.sweep = ?1", sweep.value);
}

absl::StatusOr<std::vector<CellObjectives>> ReadObjectives(Db& db, SweepId sweep) {
  std::vector<CellObjectives> cells;
  // By the index of cells and seeds, which is in the order that is wanted.
  GS_ASSIGN_OR_RETURN(
      Statement rows,
      db.Query(
          fmt::format(
              "SELECT j.cell, j.seed, j.objective, j.state = 'succeeded' FROM jobs j WHERE j.cell BETWEEN {} "
              "AND j.sweep = ?1 ORDER BY j.cell, j.seed",
              kCellsOfSweep),
          sweep.value));
  while (true) {
    GS_ASSIGN_OR_RETURN(const bool more, rows.Step());
    if (!more) return cells;
    const int64_t cell = rows.Int(0);
    // Ids ascend with ordinals, so that ties break alike.
    if (cells.empty() || cells.back().cell != cell)
      cells.push_back({.cell = cell, .ordinal = cell, .values = {}});
    const std::optional<double> objective = rows.OptionalReal(2);
    if (objective && rows.Int(3) != 0) cells.back().values.push_back({rows.Int(1), *objective});
  }
}

absl::StatusOr<std::vector<CellResults>> ReadBestCells(Db& db, SweepId sweep, Goal goal, int64_t limit) {
  return ReadCellsWhere(db,
                        fmt::format("c.id IN (SELECT cell FROM cell_statistics WHERE cell BETWEEN {} "
                                    "ORDER BY mean {}, n DESC, cell LIMIT ?2)",
                                    kCellsOfSweep, goal == Goal::kMax ? "DESC" : "ASC"),
                        sweep.value, limit);
}

absl::StatusOr<CellResults> ReadCellOfJob(Db& db, JobId job) {
  CellResults cell;
  GS_ASSIGN_OR_RETURN(
      Statement rows,
      db.Query(
          fmt::format("SELECT j.cell, {} FROM jobs j {} WHERE j.cell = (SELECT cell FROM jobs WHERE id = ?1) "
                      "ORDER BY j.seed",
                      kJobResultColumns, kJobResultJoins),
          job.value));
  while (true) {
    GS_ASSIGN_OR_RETURN(const bool more, rows.Step());
    if (!more) return cell;
    cell.cell = rows.Int(0);
    GS_ASSIGN_OR_RETURN(JobResult result, ReadJobResult(rows, 1));
    cell.jobs.push_back(std::move(result));
  }
}

absl::StatusOr<Evaluation> ReadEvaluation(Db& db, JobId job) {
  Evaluation evaluation;
  GS_ASSIGN_OR_RETURN(Statement row,
                      db.Query("SELECT v.confusion, v.predictions FROM jobs j JOIN evaluations v "
                               "ON v.attempt = j.accepted_attempt WHERE j.id = ?1",
                               job.value));
  GS_ASSIGN_OR_RETURN(const bool found, row.Step());
  if (!found) return evaluation;
  GS_ASSIGN_OR_RETURN(const Json confusion, ParseJson(row.Text(0)));
  GS_ASSIGN_OR_RETURN(const Json predictions, ParseJson(row.Text(1)));
  for (const Json& entry : confusion) evaluation.confusion.push_back(entry.get<int64_t>());
  for (const Json& entry : predictions) {
    evaluation.predictions.push_back({.index = entry.at(0).get<int64_t>(),
                                      .actual = entry.at(1).get<int64_t>(),
                                      .predicted = entry.at(2).get<int64_t>(),
                                      .confidence = NumberFromJson(entry.at(3)).value_or(0)});
  }
  return evaluation;
}

}  // namespace gridsweep
