// SqliteReader: what reports and live views show.
#include <algorithm>

#include "coordinator/store/epoch_row.h"
#include "coordinator/store/rows.h"
#include "coordinator/store/sqlite_reader.h"

namespace gridsweep {

absl::StatusOr<std::vector<ReportJobRecord>> SqliteReader::ListReportJobs(SweepId sweep) {
  std::vector<ReportJobRecord> jobs;
  const absl::Status status = pool_.Read([&](Db& db) -> absl::Status {
    GS_RETURN_IF_ERROR(RequireSweep(db, sweep));
    GS_ASSIGN_OR_RETURN(
        Statement rows,
        db.Query(
            "SELECT j.id, j.cell, j.seed, j.state, j.objective, j.objective_epoch, e.test_accuracy, e.test_loss, a.epochs, "
            "a.seconds, w.name, a.device, a.environment, j.attempts, j.finished_us, "
            "CASE WHEN j.verdict <> '' THEN j.verdict WHEN j.state IN ('failed', 'diverged') THEN (SELECT b.error FROM "
            "attempts b WHERE b.job = j.id AND b.state NOT IN ('open', 'succeeded') ORDER BY b.number DESC LIMIT 1) END "
            "FROM cells c CROSS JOIN jobs j ON j.cell = c.id "
            "LEFT JOIN attempts a ON a.id = coalesce(j.accepted_attempt, j.current_attempt) "
            "LEFT JOIN workers w ON w.id = a.worker "
            "LEFT JOIN epochs e ON e.attempt = j.accepted_attempt AND e.epoch = j.objective_epoch "
            "WHERE c.sweep = ?1 ORDER BY c.ordinal, j.seed",
            sweep.value));
    while (true) {
      GS_ASSIGN_OR_RETURN(const bool more, rows.Step());
      if (!more) return absl::OkStatus();
      ReportJobRecord job;
      job.id = JobId{rows.Int(0)};
      job.cell = rows.Int(1);
      job.seed = rows.Int(2);
      GS_ASSIGN_OR_RETURN(job.state, ParseJobState(rows.Text(3)));
      job.objective = rows.OptionalReal(4);
      job.objective_epoch = rows.Int(5);
      job.test_accuracy = rows.OptionalReal(6);
      job.test_loss = rows.OptionalReal(7);
      job.epochs = rows.Int(8);
      job.seconds = rows.OptionalReal(9);
      job.worker = rows.Text(10);
      job.device = rows.Text(11);
      job.environment = rows.Text(12);
      job.attempts = rows.Int(13);
      job.finished = rows.OptionalTime(14);
      job.error = rows.Text(15);
      jobs.push_back(std::move(job));
    }
  });
  if (!status.ok()) return status;
  return jobs;
}

absl::StatusOr<AttemptCounts> SqliteReader::CountAttempts(SweepId sweep) {
  AttemptCounts counts;
  const absl::Status status = pool_.Read([&](Db& db) -> absl::Status {
    GS_RETURN_IF_ERROR(RequireSweep(db, sweep));
    GS_ASSIGN_OR_RETURN(
        Statement row,
        db.Query(
            "SELECT count(*), total(state = 'lost'), total(state = 'failed'), total(state = 'preempted') "
            "FROM attempts WHERE sweep = ?1",
            sweep.value));
    GS_RETURN_IF_ERROR(row.Step().status());
    counts = {.total = row.Int(0), .lost = row.Int(1), .failed = row.Int(2), .preempted = row.Int(3)};
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return counts;
}

absl::StatusOr<std::vector<RevisionRecord>> SqliteReader::ListRevisions(SweepId sweep) {
  std::vector<RevisionRecord> revisions;
  const absl::Status status = pool_.Read([&](Db& db) -> absl::Status {
    GS_RETURN_IF_ERROR(RequireSweep(db, sweep));
    GS_ASSIGN_OR_RETURN(
        Statement rows,
        db.Query(
            "SELECT number, created_us, cells, jobs, reason FROM revisions WHERE sweep = ?1 ORDER BY number",
            sweep.value));
    while (true) {
      GS_ASSIGN_OR_RETURN(const bool more, rows.Step());
      if (!more) return absl::OkStatus();
      revisions.push_back({.number = rows.Int(0),
                           .created = rows.Time(1),
                           .cells = rows.Int(2),
                           .jobs = rows.Int(3),
                           .reason = rows.Text(4)});
    }
  });
  if (!status.ok()) return status;
  return revisions;
}

absl::Status SqliteReader::ForEachEpoch(SweepId sweep,
                                        const std::function<absl::Status(JobId, const EpochMetrics&)>& take) {
  return pool_.Read([&](Db& db) -> absl::Status {
    GS_RETURN_IF_ERROR(RequireSweep(db, sweep));
    std::string columns;
    for (std::string_view rest = kEpochColumns; !rest.empty();) {
      const size_t comma = rest.find(", ");
      columns += fmt::format(", e.{}", rest.substr(0, comma));
      rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 2);
    }
    GS_ASSIGN_OR_RETURN(
        Statement rows,
        db.Query(
            fmt::format("SELECT j.id{} FROM cells c CROSS JOIN jobs j ON j.cell = c.id "
                        "CROSS JOIN epochs e ON e.attempt = coalesce(j.accepted_attempt, j.current_attempt) "
                        "WHERE c.sweep = ?1 ORDER BY c.ordinal, j.seed, e.epoch",
                        columns),
            sweep.value));
    while (true) {
      GS_ASSIGN_OR_RETURN(const bool more, rows.Step());
      if (!more) return absl::OkStatus();
      GS_RETURN_IF_ERROR(take(JobId{rows.Int(0)}, ReadEpoch(rows, 1)));
    }
  });
}

absl::Status SqliteReader::ForEachEvaluation(
    const std::vector<JobId>& jobs, const std::function<absl::Status(JobId, const Evaluation&)>& take) {
  return pool_.Read([&](Db& db) -> absl::Status {
    for (const JobId job : jobs) {
      GS_ASSIGN_OR_RETURN(const Evaluation evaluation, ReadEvaluation(db, job));
      if (evaluation.confusion.empty() && evaluation.predictions.empty()) continue;
      GS_RETURN_IF_ERROR(take(job, evaluation));
    }
    return absl::OkStatus();
  });
}

absl::StatusOr<SampleImages> SqliteReader::GetSampleImages(SweepId sweep,
                                                           const std::vector<int32_t>& images) {
  SampleImages sample;
  const absl::Status status = pool_.Read([&](Db& db) -> absl::Status {
    GS_RETURN_IF_ERROR(RequireSweep(db, sweep));
    for (const int32_t image : images) {
      GS_ASSIGN_OR_RETURN(
          Statement row,
          db.Query("SELECT height, width, pixels FROM v_sample_images WHERE sweep = ?1 AND image = ?2",
                   sweep.value, static_cast<int64_t>(image)));
      GS_ASSIGN_OR_RETURN(const bool found, row.Step());
      if (found && sample.height == 0) {
        sample.height = row.Int(0);
        sample.width = row.Int(1);
      }
      if (!found || row.Int(0) != sample.height || row.Int(1) != sample.width) {
        sample = {};
        return absl::OkStatus();
      }
      const std::string pixels = row.Bytes(2);
      sample.pixels.insert(sample.pixels.end(), pixels.begin(), pixels.end());
    }
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return sample;
}

absl::StatusOr<std::map<SweepId, int64_t>> SqliteReader::AnalysedResults() {
  std::map<SweepId, int64_t> results;
  const absl::Status status = pool_.Read([&](Db& db) -> absl::Status {
    GS_ASSIGN_OR_RETURN(Statement rows, db.Query("SELECT sweep, results FROM analyses"));
    while (true) {
      GS_ASSIGN_OR_RETURN(const bool more, rows.Step());
      if (!more) return absl::OkStatus();
      results[SweepId{rows.Int(0)}] = rows.Int(1);
    }
  });
  if (!status.ok()) return status;
  return results;
}

}  // namespace gridsweep
