// SqliteStore: handing out jobs under leases, and looking at leases.
#include "common/base/json.h"
#include "common/base/random.h"
#include "coordinator/store/sqlite_writer.h"

namespace gridsweep {
namespace {

// Further ahead than any back-off reaches: the clock was set back since.
const absl::Duration kMaxDelay = RetryPolicy{}.backoff.cap;

constexpr int kTokenBytes = 16;

// Columns of attempts a JOIN jobs j, as ReadOpenAttempt expects them.
constexpr char kOpenAttemptColumns[] =
    "a.id, a.job, a.sweep, a.worker, a.token, a.number, a.stored_seq, j.losses, j.failures, j.preemptions";

RetryCounters ReadCounters(const Statement& row, int first) {
  return {static_cast<int>(row.Int(first)), static_cast<int>(row.Int(first + 1)),
          static_cast<int>(row.Int(first + 2))};
}

OpenAttempt ReadOpenAttempt(const Statement& row) {
  return {.attempt = AttemptId{row.Int(0)},
          .job = JobId{row.Int(1)},
          .sweep = SweepId{row.Int(2)},
          .worker = WorkerId{row.Int(3)},
          .token = row.Text(4),
          .number = row.Int(5),
          .stored_seq = static_cast<uint64_t>(row.Int(6)),
          .counters = ReadCounters(row, 7)};
}

// The job's document: the cell's, with what the cell leaves open.
absl::StatusOr<std::string> JobDocument(const std::string& params, int64_t seed, const std::string& digest) {
  GS_ASSIGN_OR_RETURN(Json json, ParseJson(params));
  json["seed"] = seed;
  json["dataset_digest"] = digest;
  return json.dump();
}

}  // namespace

absl::StatusOr<std::vector<ClaimedJob>> SqliteStore::ClaimJobs(const ClaimRequest& request) {
  std::vector<ClaimedJob> claimed;
  if (request.limit <= 0 || request.datasets.empty()) return claimed;
  const absl::Status done = Atomically([&]() -> absl::Status {
    const absl::StatusOr<int64_t> worker =
        db_->QueryInt("SELECT id FROM workers WHERE id = ?1", request.worker.value);
    if (absl::IsNotFound(worker.status())) return NotFound("no worker {}", request.worker.value);
    GS_RETURN_IF_ERROR(worker.status());
    {
      // CROSS JOIN keeps the sweeps outside, oldest first, so the pending jobs come in order and the scan
      // ends early.
      GS_ASSIGN_OR_RETURN(
          Statement rows,
          db_->Query(
              "SELECT j.id, s.id, j.attempts + 1, j.losses, j.failures, j.preemptions, c.params, j.seed, "
              "s.dataset_digest FROM sweeps s CROSS JOIN jobs j CROSS JOIN cells c "
              "WHERE s.state = 'active' AND s.dataset IN (SELECT value FROM json_each(?1)) "
              "AND j.sweep = s.id AND j.state = 'pending' "
              "AND (j.not_before_us <= ?2 OR j.not_before_us > ?3) AND c.id = j.cell "
              "ORDER BY s.id, j.id LIMIT ?4",
              Json(request.datasets).dump(), request.now, request.now + kMaxDelay, request.limit));
      while (true) {
        GS_ASSIGN_OR_RETURN(const bool more, rows.Step());
        if (!more) break;
        ClaimedJob job;
        job.attempt = {.attempt = {},
                       .job = JobId{rows.Int(0)},
                       .sweep = SweepId{rows.Int(1)},
                       .worker = request.worker,
                       .token = RandomHex(kTokenBytes),
                       .number = rows.Int(2),
                       .stored_seq = 0,
                       .counters = ReadCounters(rows, 3)};
        GS_ASSIGN_OR_RETURN(job.job_json, JobDocument(rows.Text(6), rows.Int(7), rows.Text(8)));
        claimed.push_back(std::move(job));
      }
    }
    for (ClaimedJob& job : claimed) GS_RETURN_IF_ERROR(Lease(job.attempt, request.now));
    return absl::OkStatus();
  });
  if (!done.ok()) return done;
  return claimed;
}

absl::Status SqliteStore::Lease(OpenAttempt& attempt, absl::Time now) {
  GS_RETURN_IF_ERROR(db_->Run(
      "INSERT INTO attempts (job, sweep, worker, number, token, started_us) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
      attempt.job.value, attempt.sweep.value, attempt.worker.value, attempt.number, attempt.token, now));
  attempt.attempt = AttemptId{db_->LastInsertId()};
  return db_->Run(
      "UPDATE jobs SET state = 'running', current_attempt = ?2, attempts = ?3 WHERE id = ?1 AND state = "
      "'pending'",
      attempt.job.value, attempt.attempt.value, attempt.number);
}

absl::Status SqliteStore::ReviveAttempt(AttemptId attempt, const std::string& token, absl::Time /*now*/) {
  return Atomically([&]() -> absl::Status {
    // The job first: it decides. Newest means that no later attempt took its number.
    GS_RETURN_IF_ERROR(
        db_->Run("UPDATE jobs SET state = 'running', current_attempt = ?1, losses = max(losses - 1, 0), "
                 "not_before_us = 0 FROM attempts a WHERE a.id = ?1 AND a.token = ?2 AND a.state = 'lost' "
                 "AND jobs.id = a.job AND jobs.state = 'pending' AND jobs.attempts = a.number",
                 attempt.value, token));
    if (db_->Changes() != 1) return Aborted("attempt {} cannot be revived", attempt.value);
    GS_RETURN_IF_ERROR(db_->Run(
        "UPDATE attempts SET state = 'open', ended_us = NULL, error = '' WHERE id = ?1 AND token = ?2 AND "
        "state = 'lost'",
        attempt.value, token));
    return db_->Run(
        "UPDATE workers SET losses = max(losses - 1, 0) WHERE id = (SELECT worker FROM attempts WHERE id = "
        "?1)",
        attempt.value);
  });
}

absl::StatusOr<std::vector<OpenAttempt>> SqliteStore::OpenAttempts() {
  std::vector<OpenAttempt> attempts;
  GS_ASSIGN_OR_RETURN(Statement rows,
                      db_->Query(fmt::format("SELECT {} FROM attempts a JOIN jobs j ON j.id = a.job "
                                             "WHERE a.state = 'open' ORDER BY a.id",
                                             kOpenAttemptColumns)));
  while (true) {
    GS_ASSIGN_OR_RETURN(const bool more, rows.Step());
    if (!more) return attempts;
    attempts.push_back(ReadOpenAttempt(rows));
  }
}

absl::StatusOr<AttemptStatus> SqliteStore::GetAttempt(AttemptId attempt, const std::string& token) {
  GS_ASSIGN_OR_RETURN(
      Statement row,
      db_->Query(fmt::format("SELECT {}, a.state, j.state, a.number = j.attempts FROM attempts a "
                             "JOIN jobs j ON j.id = a.job WHERE a.id = ?1",
                             kOpenAttemptColumns),
                 attempt.value));
  GS_ASSIGN_OR_RETURN(const bool found, row.Step());
  if (!found) return NotFound("no attempt {}", attempt.value);
  AttemptStatus status;
  status.attempt = ReadOpenAttempt(row);
  if (status.attempt.token != token) return Aborted("attempt {} has another token", attempt.value);
  GS_ASSIGN_OR_RETURN(status.state, ParseAttemptState(row.Text(10)));
  GS_ASSIGN_OR_RETURN(status.job_state, ParseJobState(row.Text(11)));
  status.is_newest = row.Int(12) != 0;
  return status;
}

}  // namespace gridsweep
