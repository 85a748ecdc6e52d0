#include "coordinator/report/report_data.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_map>

#include "common/base/version.h"
#include "common/results/effects.h"
#include "common/results/labels.h"

namespace gridsweep {
namespace {

constexpr size_t kMostReasonBytes = 2000;

Json Optional(const std::optional<double>& value) {
  return value && std::isfinite(*value) ? Json(*value) : Json();
}

// One array a column, filled row by row.
class Columns {
 public:
  explicit Columns(std::initializer_list<const char*> names) {
    for (const char* name : names) json_[name] = Json::array();
  }
  void Add(const char* name, Json value) { json_[name].push_back(std::move(value)); }
  Json Take() { return std::move(json_); }

 private:
  Json json_ = Json::object();
};

// Texts that many rows share, each kept once: rows refer to their places.
class Dictionary {
 public:
  Json PlaceOf(const std::string& text) {
    if (text.empty()) return nullptr;
    const auto [it, is_new] = places_.emplace(text, places_.size());
    if (is_new) texts_.push_back(text);
    return it->second;
  }
  Json Take() { return std::move(texts_); }

 private:
  std::map<std::string, size_t> places_;
  Json texts_ = Json::array();
};

// The axes that vary, and where their levels are.
struct Axes {
  std::vector<size_t> varying;                           // indices in axis order
  std::vector<std::map<std::string, int>> level_places;  // by axis in axis order
};

Axes FindAxes(const std::vector<std::vector<std::string>>& levels) {
  Axes axes;
  axes.level_places.resize(levels.size());
  for (size_t axis = 0; axis < levels.size(); ++axis) {
    if (levels[axis].size() > 1) axes.varying.push_back(axis);
    for (const std::string& level : levels[axis])
      axes.level_places[axis].emplace(level, static_cast<int>(axes.level_places[axis].size()));
  }
  return axes;
}

Json AxesToJson(const Axes& axes, const std::vector<std::vector<std::string>>& levels) {
  std::vector<std::string> all;
  for (const auto& of_axis : levels) all.insert(all.end(), of_axis.begin(), of_axis.end());
  const LabelShortener shortener(all);
  Json json = Json::array();
  for (const size_t axis : axes.varying) {
    Json shorter = Json::array();
    for (const std::string& level : levels[axis]) shorter.push_back(shortener.Shorten(level));
    json.push_back(
        {{"name", std::string(AxisName(kAllAxes[axis]))}, {"levels", levels[axis]}, {"short", shorter}});
  }
  return json;
}

Json ConstantsToJson(const std::vector<std::vector<std::string>>& levels) {
  Json json = Json::array();
  for (size_t axis = 0; axis < levels.size(); ++axis) {
    if (levels[axis].size() == 1)
      json.push_back({{"axis", std::string(AxisName(kAllAxes[axis]))}, {"level", levels[axis].front()}});
  }
  return json;
}

std::string Printed(Evidence evidence) {
  switch (evidence) {
    case Evidence::kSeeds:
      return "student_t";
    case Evidence::kBinomial:
      return "binomial";
    case Evidence::kNone:
      return "none";
  }
  return "none";
}

Json CellsToJson(const std::vector<RankedRow>& rows, const Axes& axes) {
  Columns columns({"cell",
                   "rank",
                   "tied",
                   "n",
                   "mean",
                   "sd",
                   "ci95",
                   "interval",
                   "difference",
                   "difference_ci95",
                   "p",
                   "best_probability",
                   "test_accuracy",
                   "test_loss",
                   "train_loss",
                   "best_epoch",
                   "seconds",
                   "pending",
                   "running",
                   "succeeded",
                   "diverged",
                   "failed",
                   "cancelled",
                   "note"});
  for (const RankedRow& row : rows) {
    columns.Add("cell", row.cell);
    columns.Add("rank", row.rank > 0 ? Json(row.rank) : Json());
    columns.Add("tied", row.tied);
    columns.Add("n", row.n);
    columns.Add("mean", Optional(row.mean));
    columns.Add("sd", Optional(row.sd));
    columns.Add("ci95", Optional(row.ci));
    columns.Add("interval", Printed(row.evidence));
    columns.Add("difference", row.behind ? Optional(row.behind->mean) : Json());
    columns.Add("difference_ci95", row.behind ? Optional(row.behind->ci) : Json());
    columns.Add("p", row.behind ? Optional(row.behind->p) : Json());
    columns.Add("best_probability", Optional(row.best_probability));
    columns.Add("test_accuracy", Optional(row.test_accuracy));
    columns.Add("test_loss", Optional(row.test_loss));
    columns.Add("train_loss", Optional(row.train_loss));
    columns.Add("best_epoch", Optional(row.best_epoch));
    columns.Add("seconds", Optional(row.seconds));
    columns.Add("pending", row.jobs.pending);
    columns.Add("running", row.jobs.running);
    columns.Add("succeeded", row.jobs.succeeded);
    columns.Add("diverged", row.jobs.diverged);
    columns.Add("failed", row.jobs.failed);
    columns.Add("cancelled", row.jobs.cancelled);
    columns.Add("note", row.note);
  }
  Json json = columns.Take();
  json["levels"] = Json::array();
  for (const size_t axis : axes.varying) {
    Json places = Json::array();
    for (const RankedRow& row : rows) places.push_back(axes.level_places[axis].at(row.labels[axis]));
    json["levels"].push_back(std::move(places));
  }
  return json;
}

// Where each cell is in the report's table, by id.
std::unordered_map<int64_t, int> PlacesOf(const std::vector<RankedRow>& rows) {
  std::unordered_map<int64_t, int> places;
  for (const RankedRow& row : rows) places.emplace(row.cell, static_cast<int>(places.size()));
  return places;
}

// By cell in the report's order, then seed.
void SortJobs(const std::unordered_map<int64_t, int>& places, std::vector<ReportJobRecord>& jobs) {
  std::sort(jobs.begin(), jobs.end(), [&places](const ReportJobRecord& a, const ReportJobRecord& b) {
    return std::make_tuple(places.at(a.cell), a.seed, a.id.value) <
           std::make_tuple(places.at(b.cell), b.seed, b.id.value);
  });
}

// The tables that everything else refers to.
struct ReportTables {
  SweepRecord sweep;
  DatasetInfo dataset;
  Measure measure;
  std::vector<std::vector<std::string>> levels;
  std::vector<CellResults> cells;
  std::vector<RankedRow> rows;
  std::vector<ReportJobRecord> jobs;
};

absl::StatusOr<ReportTables> ReadTables(StoreReader& reader, SweepId id) {
  ReportTables tables;
  GS_ASSIGN_OR_RETURN(tables.sweep, reader.GetSweep(id));
  GS_ASSIGN_OR_RETURN(tables.dataset, reader.GetDataset(id));
  GS_ASSIGN_OR_RETURN(tables.levels, reader.AxisLevels(id));
  GS_ASSIGN_OR_RETURN(tables.cells, reader.ListResults(id));
  GS_ASSIGN_OR_RETURN(tables.jobs, reader.ListReportJobs(id));
  tables.measure = MeasureOf(tables.sweep.objective, tables.sweep.training, tables.dataset);
  tables.rows = RankCells(tables.cells, tables.measure);
  const std::unordered_map<int64_t, int> places = PlacesOf(tables.rows);
  // Between the two readings seeds may have been added.
  std::erase_if(tables.jobs, [&places](const ReportJobRecord& job) { return !places.contains(job.cell); });
  SortJobs(places, tables.jobs);
  return tables;
}

Json RankingNotes(const ReportTables& tables) {
  int64_t compared = 0;
  int64_t tied = 0;
  for (const RankedRow& row : tables.rows) {
    compared += row.behind.has_value() && row.behind->p.has_value();
    tied += row.tied;
  }
  Json notes = Json::array();
  if (const std::string note = FewSeedsNote(tables.rows, compared, tied); !note.empty())
    notes.push_back(note);
  return notes;
}

struct Directory {
  Dictionary workers, devices, environments;
};

Json JobsToJson(const ReportTables& tables, Directory& directory) {
  const std::unordered_map<int64_t, int> places = PlacesOf(tables.rows);
  Columns columns({"job", "cell", "seed", "state", "objective", "objective_epoch", "test_accuracy",
                   "test_loss", "seconds", "epochs", "worker", "device", "environment"});
  for (const ReportJobRecord& job : tables.jobs) {
    columns.Add("job", job.id.value);
    columns.Add("cell", places.at(job.cell));
    columns.Add("seed", job.seed);
    columns.Add("state", std::string(JobStateName(job.state)));
    columns.Add("objective", Optional(job.objective));
    columns.Add("objective_epoch", job.objective_epoch > 0 ? Json(job.objective_epoch) : Json());
    columns.Add("test_accuracy", Optional(job.test_accuracy));
    columns.Add("test_loss", Optional(job.test_loss));
    columns.Add("seconds", Optional(job.seconds));
    columns.Add("epochs", job.epochs);
    columns.Add("worker", directory.workers.PlaceOf(job.worker));
    columns.Add("device", directory.devices.PlaceOf(job.device));
    columns.Add("environment", directory.environments.PlaceOf(job.environment));
  }
  return columns.Take();
}

Json FailuresToJson(const ReportTables& tables) {
  const std::unordered_map<int64_t, int> places = PlacesOf(tables.rows);
  std::vector<const ReportJobRecord*> failed;
  for (const ReportJobRecord& job : tables.jobs) {
    if (job.state == JobState::kFailed || job.state == JobState::kDiverged) failed.push_back(&job);
  }
  std::stable_sort(failed.begin(), failed.end(), [](const ReportJobRecord* a, const ReportJobRecord* b) {
    return a->finished.value_or(absl::InfinitePast()) > b->finished.value_or(absl::InfinitePast());
  });
  Json json = Json::array();
  for (const ReportJobRecord* job : failed) {
    json.push_back({{"job", job->id.value},
                    {"cell", places.at(job->cell)},
                    {"seed", job->seed},
                    {"state", std::string(JobStateName(job->state))},
                    {"reason", job->error.substr(0, kMostReasonBytes)},
                    {"attempts", job->attempts},
                    {"worker", job->worker},
                    {"ended_us", job->finished ? Json(absl::ToUnixMicros(*job->finished)) : Json()}});
  }
  return json;
}

// `places`: of the five axes among those that vary.
Json EffectsToJson(const Effects& effects, const std::vector<int>& places, const Axes& axes) {
  Json terms = Json::array();
  for (const EffectTerm& term : effects.terms) {
    Json of = Json::array();
    for (const int axis : term.axes) of.push_back(places[static_cast<size_t>(axis)]);
    terms.push_back({{"axes", of},
                     {"name", term.name},
                     {"df", term.df},
                     {"sum_of_squares", term.sum_of_squares},
                     {"share", Optional(term.share)},
                     {"f", Optional(term.f)},
                     {"p", Optional(term.p)}});
  }
  Json levels = Json::array();
  for (const EffectLevel& level : effects.levels) {
    const auto& cost = level.cost;
    levels.push_back({{"axis", places[static_cast<size_t>(level.axis)]},
                      {"level", axes.level_places[static_cast<size_t>(level.axis)].at(level.level)},
                      {"cells", level.cells},
                      {"results", level.results},
                      {"diverged", level.diverged},
                      {"failed", level.failed},
                      {"mean", Optional(level.mean)},
                      {"ci95", Optional(level.ci)},
                      {"cost", cost ? Optional(cost->mean) : Json()},
                      {"cost_ci95", cost ? Optional(cost->ci) : Json()},
                      {"cost_p", cost ? Optional(cost->p) : Json()}});
  }
  const bool tested = effects.residual_df > 0;
  return {
      {"notes", effects.notes},
      {"observations", effects.observations},
      {"terms", terms},
      {"residual_df", tested ? Json(effects.residual_df) : Json()},
      {"residual_mean_square",
       tested ? Json(effects.residual_sum_of_squares / static_cast<double>(effects.residual_df)) : Json()},
      {"levels", levels}};
}

Json SweepToJson(const ReportTables& tables) {
  const SweepRecord& sweep = tables.sweep;
  const Metric metric = sweep.objective.metric;
  return {{"id", sweep.id.value},
          {"name", sweep.name},
          {"state", std::string(SweepStateName(sweep.state))},
          {"dataset", sweep.dataset},
          {"dataset_digest", sweep.dataset_digest},
          {"train_size", tables.dataset.train_size},
          {"test_size", tables.dataset.test_size},
          {"evaluation_size", MeasuredImages(metric, sweep.training, tables.dataset)},
          {"validation", sweep.training.validation},
          {"ranked_on_test", metric == Metric::kTestLoss || metric == Metric::kTestAccuracy},
          {"seeds", sweep.seeds},
          {"epochs", sweep.training.epochs},
          {"batch_size", sweep.training.batch_size},
          {"created_us", absl::ToUnixMicros(sweep.created)},
          {"finished_us", sweep.finished ? Json(absl::ToUnixMicros(*sweep.finished)) : Json()},
          {"yaml", sweep.yaml}};
}

Json MetricToJson(const Objective& objective) {
  const std::string name(MetricName(objective.metric));
  const bool share = !IsLoss(objective.metric);
  return {{"name", name},
          {"goal", std::string(GoalName(objective.goal))},
          {"epoch", std::string(EpochRuleName(objective.epoch))},
          {"is_share", share},
          {"unit", share ? "%" : "nats"}};
}

EffectsInput EffectsInputOf(const ReportTables& tables) {
  EffectsInput input{.cells = tables.cells, .levels = tables.levels, .measure = tables.measure};
  for (const Axis axis : kAllAxes) input.axes.emplace_back(AxisName(axis));
  input.metric = std::string(MetricName(tables.sweep.objective.metric));
  return input;
}

}  // namespace

absl::StatusOr<Json> BuildReport(StoreReader& reader, SweepId id, absl::Time now, bool live) {
  GS_ASSIGN_OR_RETURN(const ReportTables tables, ReadTables(reader, id));
  GS_ASSIGN_OR_RETURN(const AttemptCounts attempts, reader.CountAttempts(id));
  GS_ASSIGN_OR_RETURN(const std::vector<RevisionRecord> revisions, reader.ListRevisions(id));
  const Axes axes = FindAxes(tables.levels);
  std::vector<int> places(kAxisCount, -1);
  for (size_t i = 0; i < axes.varying.size(); ++i) places[axes.varying[i]] = static_cast<int>(i);
  Directory directory;
  Json jobs = JobsToJson(tables, directory);
  Json spending = Json::array();
  for (const RevisionRecord& revision : revisions) {
    spending.push_back({{"revision", revision.number},
                        {"at_us", absl::ToUnixMicros(revision.created)},
                        {"cells", revision.cells},
                        {"jobs", revision.jobs},
                        {"text", revision.reason}});
  }
  return Json{
      {"format", 1},
      {"made", {{"at_us", absl::ToUnixMicros(now)}, {"version", std::string(Version())}, {"live", live}}},
      {"sweep", SweepToJson(tables)},
      {"axes", AxesToJson(axes, tables.levels)},
      {"constants", ConstantsToJson(tables.levels)},
      {"metric", MetricToJson(tables.sweep.objective)},
      {"ranking_notes", RankingNotes(tables)},
      {"cells", CellsToJson(tables.rows, axes)},
      {"jobs", std::move(jobs)},
      {"effects", EffectsToJson(AnalyzeEffects(EffectsInputOf(tables)), places, axes)},
      {"spending", spending},
      {"failures", FailuresToJson(tables)},
      {"attempts",
       {{"total", attempts.total},
        {"lost", attempts.lost},
        {"failed", attempts.failed},
        {"preempted", attempts.preempted}}},
      {"environments", directory.environments.Take()},
      {"workers", directory.workers.Take()},
      {"devices", directory.devices.Take()},
      {"class_names", tables.dataset.class_names}};
}

}  // namespace gridsweep
