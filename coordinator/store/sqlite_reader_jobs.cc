// SqliteReader: jobs and their results.
#include "common/base/json.h"
#include "common/base/sha256.h"
#include "coordinator/store/epoch_row.h"
#include "coordinator/store/rows.h"
#include "coordinator/store/sqlite_reader.h"

namespace gridsweep {
namespace {

constexpr char kJobQuery[] =
    "SELECT j.id, j.sweep, j.state, c.model, c.activation, c.optimizer, c.regularization, c.scheduler, "
    "j.seed, "
    "j.attempts, j.losses, j.failures, j.preemptions, j.objective, j.objective_epoch, "
    "CASE j.verdict WHEN '' THEN '' ELSE j.verdict || ': ' END || coalesce((SELECT b.error FROM attempts b "
    "WHERE b.job = j.id AND b.state NOT IN ('open', 'succeeded') ORDER BY b.number DESC LIMIT 1), ''), c.params ";

// What JobKey says of the job, from the cell's document: all of it but the objective, and the seed. Not stored,
// because hashing every job would more than double the time of a large submit.
absl::StatusOr<std::string> KeyOfJob(const std::string& params, int64_t seed) {
  GS_ASSIGN_OR_RETURN(Json json, ParseJson(params));
  json.erase("objective");
  json["seed"] = seed;
  return Sha256Hex(json.dump());
}

std::vector<std::string> ReadLabels(const Statement& row, int first) {
  std::vector<std::string> labels;
  for (int axis = 0; axis < kAxisCount; ++axis) labels.push_back(row.Text(first + axis));
  return labels;
}

absl::StatusOr<JobRecord> ReadJob(const Statement& row) {
  JobRecord job;
  job.id = JobId{row.Int(0)};
  job.sweep = SweepId{row.Int(1)};
  GS_ASSIGN_OR_RETURN(job.state, ParseJobState(row.Text(2)));
  job.labels = ReadLabels(row, 3);
  job.seed = row.Int(8);
  job.attempts = row.Int(9);
  job.counters = {static_cast<int>(row.Int(10)), static_cast<int>(row.Int(11)),
                  static_cast<int>(row.Int(12))};
  job.objective = row.OptionalReal(13);
  job.objective_epoch = row.Int(14);
  job.error = row.Text(15);
  job.params_json = row.Text(16);
  GS_ASSIGN_OR_RETURN(job.key, KeyOfJob(job.params_json, job.seed));
  return job;
}

absl::StatusOr<DatasetInfo> ReadDataset(Db& db, SweepId sweep) {
  DatasetInfo dataset;
  GS_ASSIGN_OR_RETURN(
      Statement row,
      db.Query("SELECT s.dataset, d.digest, d.class_names, d.train_size, d.test_size FROM sweeps s "
               "LEFT JOIN datasets d ON d.digest = s.dataset_digest WHERE s.id = ?1",
               sweep.value));
  GS_RETURN_IF_ERROR(row.Step().status());
  dataset.name = row.Text(0);
  dataset.digest = row.Text(1);
  dataset.train_size = row.Int(3);
  dataset.test_size = row.Int(4);
  if (dataset.digest.empty()) return dataset;
  GS_ASSIGN_OR_RETURN(const Json names, ParseJson(row.Text(2)));
  for (const Json& name : names) dataset.class_names.push_back(name.get<std::string>());
  return dataset;
}

absl::StatusOr<std::vector<AttemptRecord>> ReadAttempts(Db& db, JobId job) {
  std::vector<AttemptRecord> attempts;
  GS_ASSIGN_OR_RETURN(
      Statement rows,
      db.Query(
          "SELECT a.id, a.number, a.state, a.id = j.accepted_attempt, w.name, a.device, a.environment, "
          "a.started_us, a.ended_us, a.error, a.stderr_tail, a.resumed_epoch FROM attempts a JOIN jobs j ON j.id = a.job "
          "JOIN workers w ON w.id = a.worker WHERE a.job = ?1 ORDER BY a.number",
          job.value));
  while (true) {
    GS_ASSIGN_OR_RETURN(const bool more, rows.Step());
    if (!more) return attempts;
    AttemptRecord attempt;
    attempt.id = AttemptId{rows.Int(0)};
    attempt.number = rows.Int(1);
    GS_ASSIGN_OR_RETURN(attempt.state, ParseAttemptState(rows.Text(2)));
    attempt.accepted = rows.Int(3) != 0;
    attempt.worker = rows.Text(4);
    attempt.device = rows.Text(5);
    attempt.environment = rows.Text(6);
    attempt.started = rows.Time(7);
    attempt.ended = rows.OptionalTime(8);
    attempt.error = rows.Text(9);
    attempt.stderr_tail = rows.Text(10);
    attempt.resumed_epoch = rows.Int(11);
    attempts.push_back(std::move(attempt));
  }
}

absl::Status ReadJobDetail(Db& db, JobId job, JobDetailRecord& detail) {
  {
    GS_ASSIGN_OR_RETURN(
        Statement row,
        db.Query(std::string(kJobQuery) + "FROM jobs j JOIN cells c ON c.id = j.cell WHERE j.id = ?1",
                 job.value));
    GS_ASSIGN_OR_RETURN(const bool found, row.Step());
    if (!found) return NotFound("no job {}", job.value);
    GS_ASSIGN_OR_RETURN(detail.job, ReadJob(row));
  }
  GS_ASSIGN_OR_RETURN(detail.attempts, ReadAttempts(db, job));
  GS_ASSIGN_OR_RETURN(detail.evaluation, ReadEvaluation(db, job));
  GS_ASSIGN_OR_RETURN(detail.dataset, ReadDataset(db, detail.job.sweep));
  // A result never changes, so the accepted attempt is also the newest.
  if (!detail.attempts.empty()) {
    GS_ASSIGN_OR_RETURN(detail.epochs, ReadEpochs(db, detail.attempts.back().id));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<CellResults>> SqliteReader::ListResults(SweepId sweep) {
  std::vector<CellResults> cells;
  const absl::Status status = pool_.Read([&](Db& db) -> absl::Status {
    GS_RETURN_IF_ERROR(RequireSweep(db, sweep));
    GS_ASSIGN_OR_RETURN(cells, ReadCells(db, sweep));
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return cells;
}

absl::StatusOr<std::vector<CellResults>> SqliteReader::BestResults(SweepId sweep, Goal goal, int64_t limit) {
  std::vector<CellResults> cells;
  const absl::Status status = pool_.Read([&](Db& db) -> absl::Status {
    GS_RETURN_IF_ERROR(RequireSweep(db, sweep));
    GS_ASSIGN_OR_RETURN(cells, ReadBestCells(db, sweep, goal, limit));
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return cells;
}

absl::StatusOr<std::vector<CellObjectives>> SqliteReader::ListObjectives(SweepId sweep) {
  std::vector<CellObjectives> cells;
  const absl::Status status = pool_.Read([&](Db& db) -> absl::Status {
    GS_RETURN_IF_ERROR(RequireSweep(db, sweep));
    GS_ASSIGN_OR_RETURN(cells, ReadObjectives(db, sweep));
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return cells;
}

absl::StatusOr<DatasetInfo> SqliteReader::GetDataset(SweepId sweep) {
  DatasetInfo dataset;
  const absl::Status status = pool_.Read([&](Db& db) -> absl::Status {
    GS_RETURN_IF_ERROR(RequireSweep(db, sweep));
    GS_ASSIGN_OR_RETURN(dataset, ReadDataset(db, sweep));
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return dataset;
}

absl::StatusOr<std::vector<JobRecord>> SqliteReader::ListJobs(SweepId sweep, std::optional<JobState> state,
                                                              int64_t limit) {
  std::vector<JobRecord> jobs;
  const absl::Status status = pool_.Read([&](Db& db) -> absl::Status {
    GS_RETURN_IF_ERROR(RequireSweep(db, sweep));
    std::optional<std::string_view> wanted;
    if (state.has_value()) wanted = JobStateName(*state);
    GS_ASSIGN_OR_RETURN(Statement rows,
                        db.Query(std::string(kJobQuery) +
                                     "FROM cells c CROSS JOIN jobs j ON j.cell = c.id WHERE c.sweep = ?1 "
                                     "AND (?2 IS NULL OR j.state = ?2) ORDER BY c.ordinal, j.seed LIMIT ?3",
                                 sweep.value, wanted, limit));
    while (true) {
      GS_ASSIGN_OR_RETURN(const bool more, rows.Step());
      if (!more) return absl::OkStatus();
      GS_ASSIGN_OR_RETURN(JobRecord job, ReadJob(rows));
      jobs.push_back(std::move(job));
    }
  });
  if (!status.ok()) return status;
  return jobs;
}

absl::StatusOr<std::optional<JobRecord>> SqliteReader::BestJob(SweepId sweep) {
  std::optional<JobRecord> best;
  const absl::Status status = pool_.Read([&](Db& db) -> absl::Status {
    GS_RETURN_IF_ERROR(RequireSweep(db, sweep));
    GS_ASSIGN_OR_RETURN(
        Statement row,
        db.Query(
            std::string(kJobQuery) +
                "FROM jobs j JOIN cells c ON c.id = j.cell WHERE j.sweep = ?1 AND j.state = 'succeeded' "
                "AND j.objective = (SELECT CASE (SELECT objective_goal FROM sweeps WHERE id = ?1) WHEN 'max' "
                "THEN (SELECT max(objective) FROM jobs WHERE sweep = ?1 AND state = 'succeeded') "
                "ELSE (SELECT min(objective) FROM jobs WHERE sweep = ?1 AND state = 'succeeded') END) "
                "ORDER BY j.id LIMIT 1",
            sweep.value));
    GS_ASSIGN_OR_RETURN(const bool found, row.Step());
    if (!found) return absl::OkStatus();
    GS_ASSIGN_OR_RETURN(best, ReadJob(row));
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return best;
}

absl::StatusOr<std::vector<RunningJobRecord>> SqliteReader::ListRunning(SweepId sweep, int64_t limit) {
  std::vector<RunningJobRecord> running;
  const absl::Status status = pool_.Read([&](Db& db) -> absl::Status {
    GS_RETURN_IF_ERROR(RequireSweep(db, sweep));
    {
      GS_ASSIGN_OR_RETURN(
          Statement rows,
          db.Query(
              "SELECT a.job, a.id, a.number, c.model, c.activation, c.optimizer, c.regularization, "
              "c.scheduler, "
              "j.seed, w.name, a.device FROM attempts a JOIN jobs j ON j.id = a.job JOIN cells c ON c.id = "
              "j.cell "
              "JOIN workers w ON w.id = a.worker WHERE a.sweep = ?1 AND a.ended_us IS NULL ORDER BY a.id LIMIT ?2",
              sweep.value, limit));
      while (true) {
        GS_ASSIGN_OR_RETURN(const bool more, rows.Step());
        if (!more) break;
        running.push_back({.job = JobId{rows.Int(0)},
                           .attempt = AttemptId{rows.Int(1)},
                           .attempt_number = rows.Int(2),
                           .labels = ReadLabels(rows, 3),
                           .seed = rows.Int(8),
                           .worker = rows.Text(9),
                           .device = rows.Text(10),
                           .epochs = {}});
      }
    }
    for (RunningJobRecord& job : running) {
      GS_ASSIGN_OR_RETURN(job.epochs, ReadEpochs(db, job.attempt));
    }
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return running;
}

absl::StatusOr<std::vector<std::string>> SqliteReader::RecentFailures(SweepId sweep, int64_t limit) {
  std::vector<std::string> failures;
  const absl::Status status = pool_.Read([&](Db& db) -> absl::Status {
    GS_RETURN_IF_ERROR(RequireSweep(db, sweep));
    GS_ASSIGN_OR_RETURN(Statement rows,
                        db.Query("SELECT job, error FROM attempts WHERE sweep = ?1 AND ended_us IS NOT NULL "
                                 "AND state IN ('failed', 'lost') ORDER BY ended_us DESC, id DESC LIMIT ?2",
                                 sweep.value, limit));
    while (true) {
      GS_ASSIGN_OR_RETURN(const bool more, rows.Step());
      if (!more) return absl::OkStatus();
      failures.push_back(fmt::format("job {}: {}", rows.Int(0), rows.Text(1)));
    }
  });
  if (!status.ok()) return status;
  return failures;
}

absl::StatusOr<JobDetailRecord> SqliteReader::GetJob(JobId job) {
  JobDetailRecord detail;
  const absl::Status status = pool_.Read([&](Db& db) { return ReadJobDetail(db, job, detail); });
  if (!status.ok()) return status;
  return detail;
}

}  // namespace gridsweep
