// SqliteStore: submitting, pausing, cancelling and retrying sweeps.
#include <array>
#include <map>
#include <set>

#include "common/base/json.h"
#include "common/sweep/cell_documents.h"
#include "common/sweep/sharing.h"
#include "coordinator/store/sqlite_writer.h"
#include "coordinator/store/sweep_state.h"

namespace gridsweep {
namespace {

using AxisLabelTable = std::array<std::vector<std::string>, kAxisCount>;

// The label of each value of each axis: few, while cells are many.
AxisLabelTable LabelValues(const SweepSpec& spec, const Catalog& catalog) {
  AxisLabelTable labels;
  for (const Axis axis : kAllAxes) {
    for (const AxisValue& value : spec.axis(axis)) {
      labels[static_cast<size_t>(axis)].push_back(AxisValueLabel(catalog, axis, value));
    }
  }
  return labels;
}

// Numbers the classes of a new sweep: one for each model and size of group.
class WorkNumbering {
 public:
  WorkClass& Find(size_t model, double group_epochs, const SweepSpec& spec) {
    const auto [found, is_new] = index_.try_emplace({model, group_epochs}, classes_.size());
    if (is_new) {
      WorkClass& work = classes_.emplace_back();
      work.work = static_cast<int64_t>(found->second);
      work.kind = ComponentToJson(spec.axis(Axis::kModel)[model].components[0]).dump();
      work.group_epochs = group_epochs;
    }
    return classes_[found->second];
  }
  const std::vector<WorkClass>& classes() const { return classes_; }

 private:
  std::map<std::pair<size_t, double>, size_t> index_;
  std::vector<WorkClass> classes_;
};

}  // namespace

absl::StatusOr<SweepState> ParseSweepState(std::string_view name) {
  for (const SweepState state :
       {SweepState::kActive, SweepState::kPaused, SweepState::kCancelled, SweepState::kFinished}) {
    if (SweepStateName(state) == name) return state;
  }
  return DataLoss("unknown sweep state '{}'", name);
}

absl::StatusOr<SubmittedSweep> SqliteStore::SubmitSweep(const NewSweep& sweep, const SweepSpec& spec,
                                                        const Grid& grid, const Catalog& catalog,
                                                        absl::Time now) {
  SubmittedSweep submitted;
  const absl::Status done = Atomically([&]() -> absl::Status {
    if (sweep.resume) {
      GS_ASSIGN_OR_RETURN(
          Statement open,
          db_->Query("SELECT id, cells * seeds FROM sweeps WHERE state IN ('active', 'paused') "
                     "AND content_hash = ?1 ORDER BY id DESC LIMIT 1",
                     sweep.content_hash));
      GS_ASSIGN_OR_RETURN(const bool found, open.Step());
      if (found) {
        submitted = {SweepId{open.Int(0)}, false, open.Int(1)};
        return absl::OkStatus();
      }
    }
    {
      GS_ASSIGN_OR_RETURN(
          Statement known,
          db_->Query("SELECT id, content_hash, cells * seeds FROM sweeps WHERE client_key = ?1",
                     sweep.client_key));
      GS_ASSIGN_OR_RETURN(const bool found, known.Step());
      if (found) {
        submitted = {SweepId{known.Int(0)}, false, known.Int(2)};
        if (known.Text(1) == sweep.content_hash) return absl::OkStatus();
        return AlreadyExists("sweep {} was submitted with the same key '{}' but other content", known.Int(0),
                             sweep.client_key);
      }
    }
    if (grid.jobs() == 0) return InvalidArgument("sweep '{}' has no jobs", spec.name);
    GS_RETURN_IF_ERROR(db_->Run(
        "INSERT INTO sweeps (client_key, content_hash, name, state, yaml, dataset, epochs, batch_size, "
        "validation, "
        "samples, objective_metric, objective_goal, objective_rule, cells, seeds, created_us) "
        "VALUES (?1, ?2, ?3, 'active', ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
        sweep.client_key, sweep.content_hash, spec.name, sweep.yaml, spec.dataset, spec.training.epochs,
        spec.training.batch_size, spec.training.validation, spec.training.samples,
        MetricName(spec.objective.metric), GoalName(spec.objective.goal), EpochRuleName(spec.objective.epoch),
        grid.cells(), static_cast<int64_t>(spec.seeds.size()), now));
    submitted = {SweepId{db_->LastInsertId()}, true, grid.jobs()};
    GS_RETURN_IF_ERROR(InsertCells(submitted.id, spec, grid, catalog));
    return db_->Run("INSERT INTO sweep_counts (sweep, pending) VALUES (?1, ?2)", submitted.id.value,
                    grid.jobs());
  });
  if (!done.ok()) return done;
  return submitted;
}

absl::Status SqliteStore::InsertCells(SweepId sweep, const SweepSpec& spec, const Grid& grid,
                                      const Catalog& catalog) {
  const AxisLabelTable labels = LabelValues(spec, catalog);
  const CellDocuments documents(spec);
  GS_ASSIGN_OR_RETURN(const int64_t last_job, db_->QueryInt("SELECT coalesce(max(id), 0) FROM jobs"));
  int64_t job_id = last_job;
  SharingForecast forecast(spec, grid);
  WorkNumbering numbering;
  int64_t group = -1;                             // of jobs that differ only in the scheduler
  int64_t first_job = 0;                          // of the group's first cell, with the first seed
  std::array<std::set<size_t>, kAxisCount> used;  // an exclusion may leave a value no cell
  for (int64_t index = 0; index < grid.combinations(); ++index) {
    if (grid.IsExcluded(index)) continue;
    const std::array<size_t, kAxisCount> position = grid.Position(index);
    for (size_t axis = 0; axis < kAxisCount; ++axis) used[axis].insert(position[axis]);
    if (group != forecast.GroupOf(index)) {
      group = forecast.GroupOf(index);
      first_job = job_id + 1;
    }
    const SharingForecast::Group& shared = forecast.Forecast(group);
    const double added = shared.added[position[static_cast<size_t>(Axis::kScheduler)]].Expected();
    WorkClass& work =
        numbering.Find(position[static_cast<size_t>(Axis::kModel)], shared.total.Expected(), spec);
    GS_RETURN_IF_ERROR(db_->Run(
        "INSERT INTO cells (sweep, ordinal, key, model, activation, optimizer, regularization, "
        "scheduler, params) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        sweep.value, index, documents.Key(position), labels[0][position[0]], labels[1][position[1]],
        labels[2][position[2]], labels[3][position[3]], labels[4][position[4]], documents.Params(position)));
    const int64_t cell = db_->LastInsertId();
    for (size_t seed = 0; seed < spec.seeds.size(); ++seed) {
      GS_RETURN_IF_ERROR(db_->Run(
          "INSERT INTO jobs (id, sweep, cell, seed, prefix, work, added_epochs) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
          ++job_id, sweep.value, cell, spec.seeds[seed], first_job + static_cast<int64_t>(seed), work.work,
          added));
      ++work.pending;
      work.pending_epochs += added;
    }
  }
  for (const WorkClass& work : numbering.classes()) {
    GS_RETURN_IF_ERROR(db_->Run(
        "INSERT INTO work_classes (sweep, work, model, group_epochs, pending, pending_epochs) VALUES (?1, ?2, ?3, "
        "?4, ?5, ?6)",
        sweep.value, work.work, work.kind, work.group_epochs, work.pending, work.pending_epochs));
  }
  Json levels = Json::array();
  for (size_t axis = 0; axis < kAxisCount; ++axis) {
    levels.push_back(Json::array());
    for (const size_t value : used[axis]) levels.back().push_back(labels[axis][value]);
  }
  return db_->Run("UPDATE sweeps SET axis_levels = ?2 WHERE id = ?1", sweep.value, levels.dump());
}

absl::StatusOr<SweepState> SqliteStore::GetSweepState(SweepId sweep) {
  GS_ASSIGN_OR_RETURN(Statement row, db_->Query("SELECT state FROM sweeps WHERE id = ?1", sweep.value));
  GS_ASSIGN_OR_RETURN(const bool found, row.Step());
  if (!found) return NotFound("no sweep {}", sweep.value);
  return ParseSweepState(row.Text(0));
}

absl::Status SqliteStore::SetPaused(SweepId sweep, bool paused, absl::Time /*now*/) {
  return Atomically([&]() -> absl::Status {
    GS_ASSIGN_OR_RETURN(const SweepState state, GetSweepState(sweep));
    if (state == SweepState::kCancelled || state == SweepState::kFinished) {
      return FailedPrecondition("sweep {} is {} and cannot be {}", sweep.value, SweepStateName(state),
                                paused ? "paused" : "resumed");
    }
    return db_->Run("UPDATE sweeps SET state = ?2 WHERE id = ?1", sweep.value, paused ? "paused" : "active");
  });
}

absl::StatusOr<std::vector<AttemptId>> SqliteStore::CancelSweep(SweepId sweep, absl::Time now) {
  std::vector<AttemptId> stopped;
  const absl::Status done = Atomically([&]() -> absl::Status {
    GS_ASSIGN_OR_RETURN(const SweepState state, GetSweepState(sweep));
    if (state == SweepState::kCancelled || state == SweepState::kFinished) return absl::OkStatus();
    {
      GS_ASSIGN_OR_RETURN(
          Statement rows,
          db_->Query("SELECT id FROM attempts WHERE sweep = ?1 AND ended_us IS NULL ORDER BY id",
                     sweep.value));
      while (true) {
        GS_ASSIGN_OR_RETURN(const bool more, rows.Step());
        if (!more) break;
        stopped.push_back(AttemptId{rows.Int(0)});
      }
    }
    return CancelJobs(sweep, now);
  });
  if (!done.ok()) return done;
  return stopped;
}

absl::Status SqliteStore::CancelJobs(SweepId sweep, absl::Time now) {
  GS_RETURN_IF_ERROR(
      db_->Run("UPDATE jobs SET state = 'cancelled', current_attempt = NULL, finished_us = ?2 "
               "WHERE id IN (SELECT job FROM attempts WHERE sweep = ?1 AND ended_us IS NULL)",
               sweep.value, now));
  GS_RETURN_IF_ERROR(
      db_->Run("UPDATE attempts SET state = 'cancelled', ended_us = ?2 WHERE sweep = ?1 AND ended_us IS NULL",
               sweep.value, now));
  GS_RETURN_IF_ERROR(
      db_->Run("UPDATE jobs SET state = 'cancelled', finished_us = ?2 "
               "WHERE sweep = ?1 AND state = 'pending'",
               sweep.value, now));
  return db_->Run("UPDATE sweeps SET state = 'cancelled', finished_us = ?2 WHERE id = ?1", sweep.value, now);
}

absl::StatusOr<int64_t> SqliteStore::RetryJobs(SweepId sweep, absl::Time /*now*/) {
  int64_t retried = 0;
  const absl::Status done = Atomically([&]() -> absl::Status {
    GS_RETURN_IF_ERROR(GetSweepState(sweep).status());
    GS_RETURN_IF_ERROR(db_->Run(
        "UPDATE jobs SET state = 'pending', losses = 0, failures = 0, preemptions = 0, not_before_us = 0, "
        "verdict = '', finished_us = NULL WHERE sweep = ?1 AND state IN ('failed', 'cancelled')",
        sweep.value));
    retried = db_->Changes();
    if (retried == 0) return absl::OkStatus();
    return db_->Run("UPDATE sweeps SET state = 'active', finished_us = NULL WHERE id = ?1", sweep.value);
  });
  if (!done.ok()) return done;
  return retried;
}

absl::Status SqliteStore::FinishSweepIfDone(SweepId sweep, absl::Time now) {
  return db_->Run(
      "UPDATE sweeps SET state = 'finished', finished_us = ?2 WHERE id = ?1 AND state IN ('active', "
      "'paused') "
      "AND EXISTS (SELECT 1 FROM sweep_counts WHERE sweep = ?1 AND pending = 0 AND running = 0)",
      sweep.value, now);
}

absl::StatusOr<bool> SqliteStore::HasPendingJobs() {
  GS_ASSIGN_OR_RETURN(const int64_t any,
                      db_->QueryInt("SELECT EXISTS (SELECT 1 FROM sweeps s JOIN sweep_counts c "
                                    "ON c.sweep = s.id WHERE s.state = 'active' AND c.pending > 0)"));
  return any != 0;
}

}  // namespace gridsweep
