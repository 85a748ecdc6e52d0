// SqliteStore: the end of an attempt and what follows from it.
#include <cmath>

#include "common/base/json.h"
#include "common/job/verdict.h"
#include "common/results/ranking.h"
#include "coordinator/store/epoch_row.h"
#include "coordinator/store/rows.h"
#include "coordinator/store/sqlite_writer.h"

namespace gridsweep {
namespace {

// Whether the transition table lets a running job go to `job_state` when its attempt ends as `state`.
bool IsConsistent(AttemptState state, JobState job_state) {
  switch (state) {
    case AttemptState::kOpen:
      return false;
    case AttemptState::kSucceeded:
      return job_state == JobState::kSucceeded;
    case AttemptState::kDiverged:
      return job_state == JobState::kDiverged;
    case AttemptState::kCancelled:
      return job_state == JobState::kCancelled;
    case AttemptState::kFailed:
    case AttemptState::kLost:
    case AttemptState::kPreempted:
      return job_state == JobState::kPending || job_state == JobState::kFailed;
  }
  return false;
}

// The value the objective's epoch has, or, when no epoch's is finite, the last one's.
struct ObjectiveValue {
  ClassedValue value;
  std::optional<int64_t> epoch;
};

ObjectiveValue FindObjective(const std::vector<EpochMetrics>& epochs, const Objective& objective) {
  ObjectiveValue found;
  if (epochs.empty()) return found;
  if (const std::optional<size_t> index = ObjectiveEpoch(epochs, objective)) {
    found.value = Classify(MetricValue(epochs[*index], objective.metric));
    found.epoch = epochs[*index].epoch;
  } else {
    found.value = Classify(MetricValue(epochs.back(), objective.metric));
  }
  return found;
}

}  // namespace

absl::Status SqliteStore::EndAttempt(AttemptId attempt, const std::string& token, uint64_t seq,
                                     const AttemptEnd& end) {
  if (!IsConsistent(end.state, end.job_state)) {
    return Internal("an attempt that ended as {} cannot leave its job {}", AttemptStateName(end.state),
                    JobStateName(end.job_state));
  }
  return Atomically([&]() -> absl::Status {
    // Sequence number 0 says that the end is not an event of the worker: it has no place in the order.
    GS_RETURN_IF_ERROR(
        db_->Run("UPDATE attempts SET state = ?4, ended_us = ?5, error = ?6, stderr_tail = ?7, "
                 "stored_seq = max(stored_seq, ?3) WHERE id = ?1 AND token = ?2 AND state = 'open' "
                 "AND (?3 = 0 OR stored_seq = ?3 - 1)",
                 attempt.value, token, static_cast<int64_t>(seq), AttemptStateName(end.state), end.now,
                 end.error, end.stderr_tail));
    if (db_->Changes() != 1) return ExplainFence(attempt, token, seq);
    GS_ASSIGN_OR_RETURN(const AttemptOrigin origin, OriginOf(attempt));
    if (HasResult(end.job_state)) {
      GS_RETURN_IF_ERROR(AcceptResult(attempt, origin, end));
    } else {
      GS_RETURN_IF_ERROR(ReleaseJob(attempt, origin.job, end));
    }
    GS_RETURN_IF_ERROR(
        db_->Run("UPDATE workers SET jobs_done = jobs_done + (?2 IN ('succeeded', 'diverged')), "
                 "failures = failures + (?2 = 'failed'), losses = losses + (?2 = 'lost') WHERE id = ?1",
                 origin.worker.value, AttemptStateName(end.state)));
    return IsTerminal(end.job_state) ? FinishSweepIfDone(origin.sweep, end.now) : absl::OkStatus();
  });
}

// A query of its own: RETURNING would have SQLite make a table for the one row, at several times the cost.
absl::StatusOr<SqliteStore::AttemptOrigin> SqliteStore::OriginOf(AttemptId attempt) {
  GS_ASSIGN_OR_RETURN(Statement row,
                      db_->Query("SELECT job, sweep, worker FROM attempts WHERE id = ?1", attempt.value));
  GS_RETURN_IF_ERROR(row.Step().status());
  return AttemptOrigin{JobId{row.Int(0)}, SweepId{row.Int(1)}, WorkerId{row.Int(2)}};
}

absl::Status SqliteStore::ReleaseJob(AttemptId attempt, JobId job, const AttemptEnd& end) {
  std::optional<absl::Time> finished;
  if (IsTerminal(end.job_state)) finished = end.now;
  const int64_t not_before_us = end.job_state == JobState::kPending ? absl::ToUnixMicros(end.not_before) : 0;
  GS_RETURN_IF_ERROR(db_->Run(
      "UPDATE jobs SET state = ?3, current_attempt = NULL, losses = ?4, failures = ?5, preemptions = ?6, "
      "not_before_us = ?7, finished_us = ?8, alone = max(alone, ?9) WHERE id = ?1 AND current_attempt = ?2",
      job.value, attempt.value, JobStateName(end.job_state), static_cast<int64_t>(end.counters.losses),
      static_cast<int64_t>(end.counters.failures), static_cast<int64_t>(end.counters.preemptions),
      not_before_us, finished, static_cast<int64_t>(end.retry_alone || end.state == AttemptState::kFailed)));
  if (db_->Changes() != 1) return Internal("job {} does not run attempt {}", job.value, attempt.value);
  if (end.state == AttemptState::kFailed) GS_RETURN_IF_ERROR(DropUselessCheckpoints(attempt, job));
  return end.job_state == JobState::kFailed ? StoreVerdict(job, end) : absl::OkStatus();
}

absl::Status SqliteStore::StoreVerdict(JobId job, const AttemptEnd& end) {
  int times = 0;
  std::vector<std::string> workers;
  {
    GS_ASSIGN_OR_RETURN(
        Statement rows,
        db_->Query("SELECT w.name, count(*) FROM attempts a JOIN workers w ON w.id = a.worker WHERE a.job = "
                   "?1 AND a.state = ?2 GROUP BY w.name ORDER BY min(a.number)",
                   job.value, AttemptStateName(end.state)));
    while (true) {
      GS_ASSIGN_OR_RETURN(const bool more, rows.Step());
      if (!more) break;
      workers.push_back(rows.Text(0));
      times += static_cast<int>(rows.Int(1));
    }
  }
  return db_->Run("UPDATE jobs SET verdict = ?2 WHERE id = ?1", job.value,
                  DescribeFailure(end.state, end.retryable, times, workers));
}

absl::Status SqliteStore::AcceptResult(AttemptId attempt, const AttemptOrigin& origin,
                                       const AttemptEnd& end) {
  const JobId job = origin.job;
  Objective objective;
  {
    GS_ASSIGN_OR_RETURN(
        Statement row,
        db_->Query("SELECT objective_metric, objective_goal, objective_rule FROM sweeps WHERE id = ?1",
                   origin.sweep.value));
    GS_RETURN_IF_ERROR(row.Step().status());
    GS_ASSIGN_OR_RETURN(objective, ReadObjective(row, 0));
  }
  GS_ASSIGN_OR_RETURN(const std::vector<EpochMetrics> epochs, ReadEpochs(*db_, attempt));
  const ObjectiveValue value = FindObjective(epochs, objective);
  GS_RETURN_IF_ERROR(db_->Run(
      "UPDATE jobs SET state = ?3, current_attempt = NULL, accepted_attempt = ?2, losses = ?4, failures = "
      "?5, "
      "preemptions = ?6, objective = ?7, objective_class = ?8, objective_epoch = ?9, finished_us = ?10 "
      "WHERE id = ?1 AND current_attempt = ?2",
      job.value, attempt.value, JobStateName(end.job_state), static_cast<int64_t>(end.counters.losses),
      static_cast<int64_t>(end.counters.failures), static_cast<int64_t>(end.counters.preemptions),
      value.value.value, value.value.value_class, value.epoch, end.now));
  if (db_->Changes() != 1) return Internal("job {} does not run attempt {}", job.value, attempt.value);
  GS_RETURN_IF_ERROR(db_->Run("UPDATE sweeps SET accepted_epochs = accepted_epochs + ?2 WHERE id = ?1",
                              origin.sweep.value, static_cast<int64_t>(epochs.size())));
  GS_RETURN_IF_ERROR(StoreEvaluation(attempt, end.evaluation));
  return end.job_state == JobState::kSucceeded ? UpdateCellStatistics(job, objective.goal) : absl::OkStatus();
}

absl::Status SqliteStore::StoreEvaluation(AttemptId attempt, const Evaluation& evaluation) {
  if (evaluation.confusion.empty() && evaluation.predictions.empty()) return absl::OkStatus();
  const auto entries = static_cast<int64_t>(evaluation.confusion.size());
  const auto classes = static_cast<int64_t>(std::llround(std::sqrt(static_cast<double>(entries))));
  if (classes * classes != entries) {
    return InvalidArgument("the confusion matrix has {} entries, expected a square number", entries);
  }
  Json predictions = Json::array();
  for (const Prediction& prediction : evaluation.predictions) {
    predictions.push_back(
        {prediction.index, prediction.actual, prediction.predicted, NumberToJson(prediction.confidence)});
  }
  return db_->Run(
      "INSERT INTO evaluations (attempt, classes, confusion, predictions) VALUES (?1, ?2, ?3, ?4)",
      attempt.value, classes, Json(evaluation.confusion).dump(), predictions.dump());
}

absl::Status SqliteStore::UpdateCellStatistics(JobId job, Goal goal) {
  GS_ASSIGN_OR_RETURN(const CellResults cell, ReadCellOfJob(*db_, job));
  const RankedRow row = SummarizeCell(cell, {.goal = goal});
  if (!row.mean.has_value()) return absl::OkStatus();
  return db_->Run(
      "INSERT INTO cell_statistics (cell, n, mean, sd, ci95, test_accuracy, test_loss, train_loss, "
      "best_epoch, seconds) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (cell) DO UPDATE SET n = excluded.n, "
      "mean = excluded.mean, sd = excluded.sd, ci95 = excluded.ci95, test_accuracy = excluded.test_accuracy, "
      "test_loss = excluded.test_loss, train_loss = excluded.train_loss, best_epoch = excluded.best_epoch, "
      "seconds = excluded.seconds",
      cell.cell, row.n, *row.mean, row.sd, row.ci, row.test_accuracy, row.test_loss, row.train_loss,
      row.best_epoch, row.seconds);
}

}  // namespace gridsweep
