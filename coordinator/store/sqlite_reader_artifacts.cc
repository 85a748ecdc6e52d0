// SqliteReader: checkpoints and models.
#include "coordinator/store/sqlite_reader.h"

namespace gridsweep {
namespace {

constexpr char kModelQuery[] =
    "SELECT m.job, m.sha256, m.bytes, m.epoch, j.objective, c.model, c.activation, c.optimizer, c.regularization, c.scheduler, "
    "j.seed, s.name FROM models m JOIN jobs j ON j.id = m.job JOIN cells c ON c.id = j.cell JOIN sweeps s ON s.id = m.sweep ";

ModelRecord ReadModel(const Statement& row) {
  ModelRecord model{.job = JobId{row.Int(0)},
                    .sha256 = row.Text(1),
                    .bytes = row.Int(2),
                    .epoch = row.Int(3),
                    .objective = row.Real(4),
                    .labels = {},
                    .seed = row.Int(10)};
  for (int axis = 0; axis < kAxisCount; ++axis) model.labels.push_back(row.Text(5 + axis));
  return model;
}

}  // namespace

absl::StatusOr<std::vector<ModelRecord>> SqliteReader::ListModels(SweepId sweep) {
  std::vector<ModelRecord> models;
  const absl::Status status = pool_.Read([&](Db& db) -> absl::Status {
    GS_RETURN_IF_ERROR(RequireSweep(db, sweep));
    GS_ASSIGN_OR_RETURN(
        Statement rows,
        db.Query(std::string(kModelQuery) +
                     "WHERE m.sweep = ?1 ORDER BY CASE s.objective_goal WHEN 'max' THEN -j.objective ELSE "
                     "j.objective END, m.job",
                 sweep.value));
    while (true) {
      GS_ASSIGN_OR_RETURN(const bool more, rows.Step());
      if (!more) return absl::OkStatus();
      models.push_back(ReadModel(rows));
    }
  });
  if (!status.ok()) return status;
  return models;
}

absl::StatusOr<ModelRecord> SqliteReader::GetModel(JobId job) {
  ModelRecord model;
  const absl::Status status = pool_.Read([&](Db& db) -> absl::Status {
    const absl::StatusOr<int64_t> known = db.QueryInt("SELECT id FROM jobs WHERE id = ?1", job.value);
    if (absl::IsNotFound(known.status())) return NotFound("no job {}", job.value);
    GS_RETURN_IF_ERROR(known.status());
    GS_ASSIGN_OR_RETURN(Statement row, db.Query(std::string(kModelQuery) + "WHERE m.job = ?1", job.value));
    GS_ASSIGN_OR_RETURN(const bool found, row.Step());
    if (!found) {
      return NotFound(
          "the weights of job {} are not kept: only those of a sweep's {} best jobs are (gridsweep artifact list)",
          job.value, kKeptModels);
    }
    model = ReadModel(row);
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return model;
}

absl::StatusOr<std::set<std::string>> SqliteReader::ReferencedArtifacts() {
  std::set<std::string> referenced;
  const absl::Status status = pool_.Read([&](Db& db) -> absl::Status {
    GS_ASSIGN_OR_RETURN(Statement rows,
                        db.Query("SELECT sha256 FROM checkpoints UNION SELECT sha256 FROM models"));
    while (true) {
      GS_ASSIGN_OR_RETURN(const bool more, rows.Step());
      if (!more) return absl::OkStatus();
      referenced.insert(rows.Text(0));
    }
  });
  if (!status.ok()) return status;
  return referenced;
}

}  // namespace gridsweep
