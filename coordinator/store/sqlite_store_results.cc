// SqliteStore: what is stored about results beside them: further seeds, statistics, images.
#include <map>
#include <set>

#include "common/base/json.h"
#include "coordinator/store/sqlite_writer.h"
#include "coordinator/store/sweep_state.h"

namespace gridsweep {
namespace {

std::optional<std::string> AxisOf(const SweepAnalysis& analysis, const EffectTerm& term, size_t place) {
  if (place >= term.axes.size()) return std::nullopt;
  return analysis.axes[static_cast<size_t>(term.axes[place])];
}

// A job of a cell, as the further ones of the same cell are made.
struct CellJobs {
  std::set<int64_t> seeds;
  int64_t work = 0;
  int64_t prefix = 0;  // of its job with the least seed: equal for cells that differ only in the scheduler
  double added_epochs = 0;
  double epochs = 0;
};

}  // namespace

absl::StatusOr<AddedSeeds> SqliteStore::AddSeeds(SweepId sweep, const SeedRevision& revision,
                                                 absl::Time now) {
  AddedSeeds added;
  const absl::Status done = Atomically([&]() -> absl::Status {
    GS_ASSIGN_OR_RETURN(const SweepState state, GetSweepState(sweep));
    if (state == SweepState::kCancelled)
      return FailedPrecondition("sweep {} is cancelled: seeds can be added after gridsweep retry {}",
                                sweep.value, sweep.value);
    GS_ASSIGN_OR_RETURN(
        added.revision,
        db_->QueryInt("SELECT coalesce(max(number), 0) + 1 FROM revisions WHERE sweep = ?1", sweep.value));
    GS_RETURN_IF_ERROR(InsertSeeds(sweep, revision, added));
    if (added.jobs == 0) {
      added = {};
      return absl::OkStatus();
    }
    GS_RETURN_IF_ERROR(db_->Run(
        "INSERT INTO revisions (sweep, number, created_us, cells, jobs, reason) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        sweep.value, added.revision, now, added.cells, added.jobs, revision.reason));
    GS_RETURN_IF_ERROR(
        db_->Run("UPDATE sweep_counts SET pending = pending + ?2 WHERE sweep = ?1", sweep.value, added.jobs));
    return db_->Run(
        "UPDATE sweeps SET state = 'active', finished_us = NULL WHERE id = ?1 AND state = 'finished'",
        sweep.value);
  });
  if (!done.ok()) return done;
  return added;
}

absl::Status SqliteStore::InsertSeeds(SweepId sweep, const SeedRevision& revision, AddedSeeds& added) {
  // Those of the file and of earlier revisions, in one row for all cells: the k-th further seed is the same everywhere.
  std::vector<int64_t> all_seeds;
  {
    GS_ASSIGN_OR_RETURN(
        Statement rows,
        db_->Query(
            "SELECT seed, min(revision) FROM jobs WHERE sweep = ?1 GROUP BY seed ORDER BY min(revision), seed",
            sweep.value));
    while (true) {
      GS_ASSIGN_OR_RETURN(const bool more, rows.Step());
      if (!more) break;
      all_seeds.push_back(rows.Int(0));
    }
  }
  while (std::ssize(all_seeds) < revision.seeds)
    all_seeds.push_back(*std::max_element(all_seeds.begin(), all_seeds.end()) + 1);

  GS_ASSIGN_OR_RETURN(int64_t job_id, db_->QueryInt("SELECT coalesce(max(id), 0) FROM jobs"));
  std::map<std::pair<int64_t, int64_t>, int64_t> first_of_group;  // by group and seed
  for (const int64_t cell : revision.cells) {
    CellJobs known;
    GS_ASSIGN_OR_RETURN(
        Statement rows,
        db_->Query(
            "SELECT j.seed, j.work, j.prefix, j.added_epochs, s.epochs FROM jobs j JOIN sweeps s ON s.id = "
            "j.sweep WHERE j.cell = ?1 AND j.sweep = ?2 ORDER BY j.revision DESC, j.seed DESC",
            cell, sweep.value));
    while (true) {
      GS_ASSIGN_OR_RETURN(const bool more, rows.Step());
      if (!more) break;
      known.seeds.insert(rows.Int(0));
      known.work = rows.Int(1);
      known.prefix = rows.Int(2);
      known.added_epochs = rows.Real(3);
      known.epochs = rows.Real(4);
    }
    if (known.seeds.empty()) return InvalidArgument("sweep {} has no cell {}", sweep.value, cell);
    int64_t missing = revision.seeds - std::ssize(known.seeds);
    if (missing <= 0) continue;
    ++added.cells;
    for (const int64_t seed : all_seeds) {
      if (missing == 0) break;
      if (known.seeds.contains(seed)) continue;
      --missing;
      // The first of a group has all epochs to train, whichever of its cells get the seed.
      const auto [group, is_first] = first_of_group.emplace(std::pair(known.prefix, seed), job_id + 1);
      const double epochs = is_first ? known.epochs : known.added_epochs;
      GS_RETURN_IF_ERROR(db_->Run(
          "INSERT INTO jobs (id, sweep, cell, seed, prefix, work, added_epochs, revision) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
          ++job_id, sweep.value, cell, seed, group->second, known.work, epochs, added.revision));
      GS_RETURN_IF_ERROR(db_->Run(
          "UPDATE work_classes SET pending = pending + 1, pending_epochs = pending_epochs + ?3 WHERE sweep = ?1 AND work = ?2",
          sweep.value, known.work, epochs));
      ++added.jobs;
    }
  }
  return absl::OkStatus();
}

absl::Status SqliteStore::StoreAnalysis(SweepId sweep, const SweepAnalysis& analysis, absl::Time now) {
  return Atomically([&] { return ReplaceAnalysis(sweep, analysis, now); });
}

absl::Status SqliteStore::ReplaceAnalysis(SweepId sweep, const SweepAnalysis& analysis, absl::Time now) {
  const Effects& effects = analysis.effects;
  GS_RETURN_IF_ERROR(GetSweepState(sweep).status());
  GS_RETURN_IF_ERROR(
      db_->Run("DELETE FROM analyses WHERE sweep = ?1", sweep.value));  // and what refers to it
  GS_RETURN_IF_ERROR(db_->Run(
      "INSERT INTO analyses (sweep, analysed_us, results, observations, residual_df, residual_sum_of_squares, "
      "total_sum_of_squares, notes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
      sweep.value, now, analysis.results, effects.observations, effects.residual_df,
      effects.residual_sum_of_squares, effects.total_sum_of_squares,
      Json(effects.notes).dump(-1, ' ', false, Json::error_handler_t::replace)));
  int64_t position = 0;
  for (const EffectTerm& term : effects.terms) {
    GS_RETURN_IF_ERROR(db_->Run(
        "INSERT INTO effect_terms (sweep, position, term, first_axis, second_axis, df, sum_of_squares, share, f, p) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        sweep.value, ++position, term.name, AxisOf(analysis, term, 0), AxisOf(analysis, term, 1), term.df,
        term.sum_of_squares, term.share, term.f, term.p));
  }
  position = 0;
  for (const EffectLevel& level : effects.levels) {
    const std::optional<Difference>& cost = level.cost;
    GS_RETURN_IF_ERROR(db_->Run(
        "INSERT INTO effect_levels (sweep, position, axis, level, cells, results, diverged, failed, mean, ci95, of_leader, "
        "cost, cost_ci95, cost_p) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
        sweep.value, ++position, analysis.axes[static_cast<size_t>(level.axis)], level.level, level.cells,
        level.results, level.diverged, level.failed, level.mean, level.ci,
        static_cast<int64_t>(level.of_leader), cost ? std::optional(cost->mean) : std::nullopt,
        cost ? cost->ci : std::nullopt, cost ? cost->p : std::nullopt));
  }
  for (const Standing& standing : analysis.standings) {
    const std::optional<Difference>& behind = standing.behind;
    GS_RETURN_IF_ERROR(db_->Run(
        "INSERT INTO standings (cell, sweep, tied, difference, difference_ci95, p, best_probability) VALUES (?1, ?2, ?3, ?4, "
        "?5, ?6, ?7)",
        standing.cell, sweep.value, static_cast<int64_t>(standing.tied),
        behind ? std::optional(behind->mean) : std::nullopt, behind ? behind->ci : std::nullopt,
        behind ? behind->p : std::nullopt, standing.best_probability));
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> SqliteStore::WantsSampleImages(const std::string& digest) {
  GS_ASSIGN_OR_RETURN(
      const int64_t wanted,
      db_->QueryInt("SELECT EXISTS (SELECT 1 FROM datasets WHERE digest = ?1) AND NOT EXISTS (SELECT 1 FROM "
                    "sample_images WHERE digest = ?1)",
                    digest));
  return wanted != 0;
}

absl::Status SqliteStore::RecordSampleImages(const std::string& digest,
                                             const std::vector<SampleImage>& images) {
  return Atomically([&]() -> absl::Status {
    for (const SampleImage& image : images) {
      GS_RETURN_IF_ERROR(db_->Run(
          "INSERT INTO sample_images (digest, image, height, width, pixels) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
          digest, image.index, image.height, image.width, BlobView{image.pixels}));
    }
    return absl::OkStatus();
  });
}

}  // namespace gridsweep
