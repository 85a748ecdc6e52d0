// SqliteReader: sweeps and their progress.
#include "common/base/json.h"
#include "common/catalog/catalog.h"
#include "coordinator/store/rows.h"
#include "coordinator/store/sqlite_reader.h"
#include "coordinator/store/sweep_state.h"

namespace gridsweep {
namespace {

constexpr int kConnections = 4;

constexpr char kSweepQuery[] =
    "SELECT s.id, s.name, s.state, c.pending, c.running, c.succeeded, c.diverged, c.failed, c.cancelled, "
    "s.dataset, "
    "s.dataset_digest, s.cells, s.seeds, s.epochs, s.batch_size, s.validation, s.samples, "
    "s.objective_metric, "
    "s.objective_goal, s.objective_rule, s.yaml, s.created_us, s.finished_us "
    "FROM sweeps s JOIN sweep_counts c ON c.sweep = s.id ";

absl::StatusOr<SweepRecord> ReadSweep(const Statement& row) {
  SweepRecord sweep;
  sweep.id = SweepId{row.Int(0)};
  sweep.name = row.Text(1);
  GS_ASSIGN_OR_RETURN(sweep.state, ParseSweepState(row.Text(2)));
  sweep.jobs = {.pending = row.Int(3),
                .running = row.Int(4),
                .succeeded = row.Int(5),
                .diverged = row.Int(6),
                .failed = row.Int(7),
                .cancelled = row.Int(8)};
  sweep.dataset = row.Text(9);
  sweep.dataset_digest = row.Text(10);
  sweep.cells = row.Int(11);
  sweep.seeds = row.Int(12);
  sweep.training = {
      .epochs = row.Int(13), .batch_size = row.Int(14), .validation = row.Real(15), .samples = row.Int(16)};
  GS_ASSIGN_OR_RETURN(sweep.objective, ReadObjective(row, 17));
  sweep.yaml = row.Text(20);
  sweep.created = row.Time(21);
  sweep.finished = row.OptionalTime(22);
  return sweep;
}

std::optional<int64_t> AsId(const std::string& text) {
  if (text.empty() || text.size() > 18 || text.find_first_not_of("0123456789") != std::string::npos) {
    return std::nullopt;
  }
  return std::stoll(text);
}

absl::StatusOr<std::string> SuggestName(Db& db, const std::string& name) {
  std::vector<std::string> names;
  GS_ASSIGN_OR_RETURN(Statement rows,
                      db.Query("SELECT name FROM sweeps GROUP BY name ORDER BY max(id) DESC LIMIT 1000"));
  while (true) {
    GS_ASSIGN_OR_RETURN(const bool more, rows.Step());
    if (!more) break;
    names.push_back(rows.Text(0));
  }
  if (names.empty()) return std::string("; there are no sweeps yet");
  const std::string near = DidYouMean(name, names);
  if (!near.empty()) return fmt::format("; did you mean '{}'?", near);
  names.resize(std::min<size_t>(names.size(), 5));
  return fmt::format("; the newest are '{}'", fmt::join(names, "', '"));
}

}  // namespace

SqliteReader::SqliteReader(std::string file, ReaderPool::Opener open)
    : file_(std::move(file)), open_(open), pool_(std::move(open), kConnections) {}

absl::Status RequireSweep(Db& db, SweepId sweep) {
  const absl::StatusOr<int64_t> found = db.QueryInt("SELECT id FROM sweeps WHERE id = ?1", sweep.value);
  if (absl::IsNotFound(found.status())) return NotFound("no sweep {}", sweep.value);
  return found.status();
}

absl::StatusOr<SweepId> SqliteReader::FindSweep(const std::string& id_or_name) {
  SweepId id;
  const absl::Status status = pool_.Read([&](Db& db) -> absl::Status {
    if (const std::optional<int64_t> wanted = AsId(id_or_name)) {
      const absl::StatusOr<int64_t> found = db.QueryInt("SELECT id FROM sweeps WHERE id = ?1", *wanted);
      if (found.ok()) id.value = *found;
      if (!absl::IsNotFound(found.status())) return found.status();
    }
    const absl::StatusOr<int64_t> found =
        db.QueryInt("SELECT id FROM sweeps WHERE name = ?1 ORDER BY id DESC LIMIT 1", id_or_name);
    if (found.ok()) id.value = *found;
    if (!absl::IsNotFound(found.status())) return found.status();
    GS_ASSIGN_OR_RETURN(const std::string hint, SuggestName(db, id_or_name));
    return NotFound("no sweep '{}'{}", id_or_name, hint);
  });
  if (!status.ok()) return status;
  return id;
}

absl::StatusOr<std::vector<SweepRecord>> SqliteReader::ListSweeps() {
  std::vector<SweepRecord> sweeps;
  const absl::Status status = pool_.Read([&](Db& db) -> absl::Status {
    GS_ASSIGN_OR_RETURN(Statement rows, db.Query(std::string(kSweepQuery) + "ORDER BY s.id DESC"));
    while (true) {
      GS_ASSIGN_OR_RETURN(const bool more, rows.Step());
      if (!more) return absl::OkStatus();
      GS_ASSIGN_OR_RETURN(SweepRecord sweep, ReadSweep(rows));
      sweeps.push_back(std::move(sweep));
    }
  });
  if (!status.ok()) return status;
  return sweeps;
}

absl::StatusOr<SweepRecord> SqliteReader::GetSweep(SweepId sweep) {
  SweepRecord record;
  const absl::Status status = pool_.Read([&](Db& db) -> absl::Status {
    GS_ASSIGN_OR_RETURN(Statement row, db.Query(std::string(kSweepQuery) + "WHERE s.id = ?1", sweep.value));
    GS_ASSIGN_OR_RETURN(const bool found, row.Step());
    if (!found) return NotFound("no sweep {}", sweep.value);
    GS_ASSIGN_OR_RETURN(record, ReadSweep(row));
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return record;
}

absl::StatusOr<std::vector<std::vector<std::string>>> SqliteReader::AxisLevels(SweepId sweep) {
  std::vector<std::vector<std::string>> levels;
  const absl::Status status = pool_.Read([&](Db& db) -> absl::Status {
    GS_ASSIGN_OR_RETURN(Statement row, db.Query("SELECT axis_levels FROM sweeps WHERE id = ?1", sweep.value));
    GS_ASSIGN_OR_RETURN(const bool found, row.Step());
    if (!found) return NotFound("no sweep {}", sweep.value);
    GS_ASSIGN_OR_RETURN(const Json json, ParseJson(row.Text(0)));
    if (!json.is_array()) return DataLoss("sweep {} has malformed axis levels", sweep.value);
    for (const Json& axis : json) {
      levels.emplace_back();
      for (const Json& label : axis) levels.back().push_back(label.get<std::string>());
    }
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return levels;
}

absl::StatusOr<EpochProgress> SqliteReader::GetEpochProgress(SweepId sweep) {
  EpochProgress progress;
  const absl::Status status = pool_.Read([&](Db& db) -> absl::Status {
    // Jobs that are over count with the epochs they ran: a diverged one stops early and none of the rest is
    // left to do.
    GS_ASSIGN_OR_RETURN(
        Statement row,
        db.Query("SELECT s.accepted_epochs + (SELECT coalesce(sum(a.epochs), 0) FROM attempts a "
                 "WHERE a.sweep = s.id AND a.ended_us IS NULL), s.accepted_epochs + s.epochs * (c.pending + "
                 "c.running) "
                 "FROM sweeps s JOIN sweep_counts c ON c.sweep = s.id WHERE s.id = ?1",
                 sweep.value));
    GS_ASSIGN_OR_RETURN(const bool found, row.Step());
    if (!found) return NotFound("no sweep {}", sweep.value);
    progress = {.done = row.Int(0), .total = row.Int(1)};
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return progress;
}

absl::StatusOr<int64_t> SqliteReader::CountEpochsSince(SweepId sweep, absl::Time since) {
  int64_t count = 0;
  const absl::Status status = pool_.Read([&](Db& db) -> absl::Status {
    GS_RETURN_IF_ERROR(RequireSweep(db, sweep));
    // Only attempts that were open since then can have such epochs, and there are few of those.
    GS_ASSIGN_OR_RETURN(
        count,
        db.QueryInt("SELECT count(*) FROM (SELECT id FROM attempts WHERE sweep = ?1 AND ended_us IS NULL "
                    "UNION ALL SELECT id FROM attempts WHERE sweep = ?1 AND ended_us >= ?2) a "
                    "CROSS JOIN epochs e ON e.attempt = a.id WHERE e.stored_us >= ?2",
                    sweep.value, since));
    return absl::OkStatus();
  });
  if (!status.ok()) return status;
  return count;
}

}  // namespace gridsweep
