// SqliteStore: checkpoints and models.
#include "coordinator/store/sqlite_writer.h"

namespace gridsweep {
namespace {

// Jobs with a better result, counted no further than to ?4. By the goal, so that the index serves.
constexpr char kHigherSql[] =
    "SELECT count(*) FROM (SELECT 1 FROM jobs WHERE sweep = ?1 AND state = 'succeeded' AND objective >= ?2 AND (objective > ?2 "
    "OR id < ?3) LIMIT ?4)";
constexpr char kLowerSql[] =
    "SELECT count(*) FROM (SELECT 1 FROM jobs WHERE sweep = ?1 AND state = 'succeeded' AND objective <= ?2 AND (objective < ?2 "
    "OR id < ?3) LIMIT ?4)";

}  // namespace

absl::StatusOr<bool> SqliteStore::WantsCheckpoint(std::span<const ArtifactClaim> claims) {
  bool current = false;
  for (const ArtifactClaim& claim : claims) {
    GS_ASSIGN_OR_RETURN(
        Statement row,
        db_->Query("SELECT (SELECT max(epoch) FROM checkpoints WHERE job = a.job AND attempt = a.id) FROM "
                   "attempts a WHERE a.id = ?1 AND a.token = ?2 AND a.state = 'open'",
                   claim.attempt.value, claim.token));
    GS_ASSIGN_OR_RETURN(const bool found, row.Step());
    if (found && row.Int(0) < claim.epoch) return true;
    current = current || found;
  }
  if (!current) return Aborted("none of the attempts is open any more with its token");
  return false;
}

absl::Status SqliteStore::RecordCheckpoint(std::span<const ArtifactClaim> claims, const std::string& sha256,
                                           int64_t bytes, absl::Time now) {
  return Atomically([&]() -> absl::Status {
    int64_t current = 0;
    for (const ArtifactClaim& claim : claims) {
      const absl::StatusOr<int64_t> job = db_->QueryInt(
          "INSERT INTO checkpoints (job, attempt, epoch, sha256, bytes, stored_us) SELECT job, id, ?3, ?4, ?5, ?6 FROM "
          "attempts WHERE id = ?1 AND token = ?2 AND state = 'open' ON CONFLICT DO UPDATE SET sha256 = excluded.sha256, "
          "bytes = excluded.bytes RETURNING job",
          claim.attempt.value, claim.token, claim.epoch, sha256, bytes, now);
      if (absl::IsNotFound(job.status())) continue;
      GS_RETURN_IF_ERROR(job.status());
      ++current;
      // A new attempt that did not go on from what an older one left could not: its own are the ones to keep.
      GS_RETURN_IF_ERROR(db_->Run(
          "DELETE FROM checkpoints WHERE job = ?1 AND (attempt, epoch) NOT IN (SELECT attempt, epoch FROM checkpoints "
          "WHERE job = ?1 ORDER BY attempt DESC, epoch DESC LIMIT ?2)",
          *job, kKeptCheckpoints));
    }
    return current > 0 ? absl::OkStatus() : Aborted("none of the attempts is open any more with its token");
  });
}

absl::StatusOr<std::vector<std::string>> SqliteStore::CheckpointsOf(JobId job) {
  std::vector<std::string> checkpoints;
  GS_ASSIGN_OR_RETURN(
      Statement rows,
      db_->Query("SELECT sha256 FROM checkpoints WHERE job = ?1 ORDER BY epoch DESC, attempt DESC",
                 job.value));
  while (true) {
    GS_ASSIGN_OR_RETURN(const bool more, rows.Step());
    if (!more) return checkpoints;
    checkpoints.push_back(rows.Text(0));
  }
}

absl::Status SqliteStore::DropUselessCheckpoints(AttemptId attempt, JobId job) {
  return db_->Run(
      "DELETE FROM checkpoints WHERE job = ?2 AND EXISTS (SELECT 1 FROM attempts WHERE id = ?1 AND resumed_epoch > 0 AND "
      "epochs <= resumed_epoch)",
      attempt.value, job.value);
}

absl::StatusOr<bool> SqliteStore::WantsModel(const ArtifactClaim& claim) {
  int64_t job = 0, sweep = 0;
  double objective = 0;
  bool maximize = false;
  {
    GS_ASSIGN_OR_RETURN(
        Statement row,
        db_->Query(
            "SELECT j.id, j.state = 'succeeded' AND j.objective IS NOT NULL AND NOT EXISTS (SELECT 1 "
            "FROM models WHERE job = j.id), j.sweep, j.objective, s.objective_goal = 'max' FROM attempts "
            "a JOIN jobs j ON j.accepted_attempt = a.id JOIN sweeps s ON s.id = j.sweep WHERE a.id = ?1 AND a.token = ?2",
            claim.attempt.value, claim.token));
    GS_ASSIGN_OR_RETURN(const bool found, row.Step());
    if (!found)
      return Aborted("attempt {} is not its job's accepted one, or has another token", claim.attempt.value);
    if (row.Int(1) == 0) return false;
    job = row.Int(0);
    sweep = row.Int(2);
    objective = row.Real(3);
    maximize = row.Int(4) != 0;
  }
  GS_ASSIGN_OR_RETURN(const int64_t better,
                      db_->QueryInt(maximize ? kHigherSql : kLowerSql, sweep, objective, job, kKeptModels));
  return better < kKeptModels;
}

absl::Status SqliteStore::RecordModel(const ArtifactClaim& claim, const std::string& sha256, int64_t bytes,
                                      absl::Time now) {
  return Atomically([&]() -> absl::Status {
    const absl::StatusOr<int64_t> sweep = db_->QueryInt(
        "INSERT INTO models (job, sweep, epoch, sha256, bytes, stored_us) SELECT j.id, j.sweep, ?3, ?4, ?5, ?6 FROM attempts a "
        "JOIN jobs j ON j.accepted_attempt = a.id WHERE a.id = ?1 AND a.token = ?2 AND j.state = 'succeeded' ON CONFLICT DO "
        "UPDATE SET epoch = excluded.epoch, sha256 = excluded.sha256, bytes = excluded.bytes RETURNING sweep",
        claim.attempt.value, claim.token, claim.epoch, sha256, bytes, now);
    if (absl::IsNotFound(sweep.status()))
      return Aborted("attempt {} is not its job's accepted one, or has another token", claim.attempt.value);
    GS_RETURN_IF_ERROR(sweep.status());
    return db_->Run(
        "DELETE FROM models WHERE sweep = ?1 AND job NOT IN (SELECT m.job FROM models m JOIN jobs j ON j.id = m.job JOIN "
        "sweeps s ON s.id = m.sweep WHERE m.sweep = ?1 ORDER BY CASE s.objective_goal WHEN 'max' THEN -j.objective ELSE "
        "j.objective END, j.id LIMIT ?2)",
        *sweep, kKeptModels);
  });
}

}  // namespace gridsweep
