#include "cli/convert_results.h"

#include "common/rpc/convert.h"

namespace gridsweep {
namespace {

std::string StateName(v1::JobState state) {
  const absl::StatusOr<JobState> known = FromProto(state);
  return known.ok() ? std::string(JobStateName(*known)) : "unknown";
}

template <typename Repeated>
std::vector<std::string> Strings(const Repeated& values) {
  return {values.begin(), values.end()};
}

Evidence EvidenceFromName(std::string_view name) {
  for (const Evidence evidence : {Evidence::kSeeds, Evidence::kBinomial}) {
    if (EvidenceName(evidence) == name) return evidence;
  }
  return Evidence::kNone;
}

Difference DifferenceFromProto(const v1::Difference& difference) {
  Difference result{
      .evidence = EvidenceFromName(difference.evidence()), .n = difference.n(), .mean = difference.mean()};
  if (difference.has_ci()) result.ci = difference.ci();
  if (difference.has_p()) result.p = difference.p();
  return result;
}

RankedRow RowFromProto(const v1::RankedRow& row) {
  RankedRow result;
  result.rank = row.rank();
  result.labels = Strings(row.labels());
  result.n = row.n();
  if (row.has_mean()) result.mean = row.mean();
  if (row.has_ci()) result.ci = row.ci();
  if (row.has_sd()) result.sd = row.sd();
  if (row.has_test_accuracy()) result.test_accuracy = row.test_accuracy();
  if (row.has_test_loss()) result.test_loss = row.test_loss();
  if (row.has_train_loss()) result.train_loss = row.train_loss();
  if (row.has_best_epoch()) result.best_epoch = row.best_epoch();
  if (row.has_seconds()) result.seconds = row.seconds();
  if (row.has_shared_epochs()) result.shared_epochs = row.shared_epochs();
  result.jobs = FromProto(row.jobs());
  result.note = row.note();
  result.cell = row.cell();
  result.job_ids = {row.job_ids().begin(), row.job_ids().end()};
  result.cells = row.cells();
  result.best_label = row.best_label();
  result.tied = row.tied();
  result.evidence = EvidenceFromName(row.evidence());
  if (row.has_behind()) result.behind = DifferenceFromProto(row.behind());
  if (row.has_best_probability()) result.best_probability = row.best_probability();
  return result;
}

AttemptReport AttemptFromProto(const v1::AttemptSummary& attempt) {
  AttemptReport result;
  result.number = attempt.number();
  result.state = attempt.state();
  result.accepted = attempt.accepted();
  result.worker = attempt.worker();
  result.device = attempt.device();
  result.environment = attempt.environment();
  result.started = absl::FromUnixMicros(attempt.started_us());
  if (attempt.ended_us() != 0) result.ended = absl::FromUnixMicros(attempt.ended_us());
  result.error = attempt.error();
  result.stderr_tail = attempt.stderr_tail();
  result.resumed_epoch = attempt.resumed_epoch();
  return result;
}

}  // namespace

std::vector<std::string> AllAxisNames() {
  std::vector<std::string> names;
  for (const Axis axis : kAllAxes) names.emplace_back(AxisName(axis));
  return names;
}

StateCounts FromProto(const v1::JobCounts& counts) {
  return {.pending = counts.pending(),
          .running = counts.running(),
          .succeeded = counts.succeeded(),
          .diverged = counts.diverged(),
          .failed = counts.failed(),
          .cancelled = counts.cancelled()};
}

SweepLine FromProto(const v1::SweepSummary& sweep) {
  SweepLine line;
  line.id = sweep.id();
  line.name = sweep.name();
  line.state = sweep.state();
  line.jobs = FromProto(sweep.jobs());
  line.dataset = sweep.dataset();
  line.cells = sweep.cells();
  line.seeds = sweep.seeds();
  line.epochs = sweep.epochs();
  line.metric = sweep.objective().metric();
  line.created = absl::FromUnixMicros(sweep.created_us());
  if (sweep.finished_us() != 0) line.finished = absl::FromUnixMicros(sweep.finished_us());
  return line;
}

WorkerLine FromProto(const v1::WorkerSummary& worker) {
  return {.id = worker.id(),
          .name = worker.name(),
          .host = worker.host(),
          .state = worker.state(),
          .devices = Strings(worker.devices()),
          .slots = worker.slots(),
          .running = worker.running(),
          .version = worker.version(),
          .libtorch_version = worker.libtorch_version(),
          .last_seen = absl::FromUnixMicros(worker.last_seen_us()),
          .jobs_done = worker.jobs_done(),
          .failures = worker.failures(),
          .datasets = Strings(worker.datasets()),
          .note = worker.note()};
}

JobLine FromProto(const v1::JobSummary& job) {
  JobLine line;
  line.id = job.id();
  line.state = StateName(job.state());
  line.labels = Strings(job.labels());
  line.labels.resize(kAxisCount);
  line.seed = job.seed();
  line.attempts = job.attempts();
  if (job.has_objective()) line.objective = job.objective();
  line.objective_epoch = job.objective_epoch();
  line.error = job.error();
  return line;
}

JobReport FromProto(const v1::JobDetail& detail) {
  JobReport report;
  const v1::JobSummary& job = detail.summary();
  report.id = job.id();
  report.sweep = job.sweep();
  report.sweep_name = detail.sweep().name();
  report.state = StateName(job.state());
  report.axes = AllAxisNames();
  report.labels = Strings(job.labels());
  report.seed = job.seed();
  report.metric = detail.sweep().objective().metric();
  if (job.has_objective()) report.objective = job.objective();
  report.objective_epoch = job.objective_epoch();
  report.error = job.error();
  report.key = detail.key();
  report.params_json = detail.params_json();
  for (const v1::EpochMetrics& epoch : detail.epochs()) report.epochs.push_back(FromProto(epoch));
  report.evaluation = FromProto(detail.evaluation());
  report.dataset = FromProto(detail.dataset());
  for (const v1::AttemptSummary& attempt : detail.attempts())
    report.attempts.push_back(AttemptFromProto(attempt));
  return report;
}

RankedTable FromProto(const v1::RankResponse& response, bool by_level) {
  const v1::SweepSummary& sweep = response.sweep();
  RankedTable table;
  table.sweep = sweep.id();
  table.sweep_name = sweep.name();
  table.sweep_state = sweep.state();
  table.dataset = sweep.dataset();
  table.metric = response.ranked_metric();
  table.goal = sweep.objective().goal();
  table.epoch = sweep.objective().epoch();
  table.ranked_on_test = response.ranked_on_test();
  table.validation = sweep.validation();
  table.seeds = sweep.seeds();
  table.epochs = sweep.epochs();
  table.cells = sweep.cells();
  table.jobs = FromProto(sweep.jobs());
  table.axes = Strings(response.axes());
  table.constants = Strings(response.constants());
  for (const v1::RankedRow& row : response.rows()) table.rows.push_back(RowFromProto(row));
  for (RankedRow& row : table.rows) row.labels.resize(table.axes.size());
  table.all_labels = Strings(response.all_labels());
  table.total_rows = response.total_rows();
  table.by_level = by_level;
  table.shares_epochs = response.shares_epochs();
  table.images = response.images();
  table.ranked_cells = response.ranked_cells();
  table.tied_cells = response.tied_cells();
  table.compared_cells = response.compared_cells();
  return table;
}

EffectsReport FromProto(const v1::GetEffectsResponse& response) {
  const v1::SweepSummary& sweep = response.sweep();
  EffectsReport report{.sweep = sweep.id(),
                       .sweep_name = sweep.name(),
                       .sweep_state = sweep.state(),
                       .dataset = sweep.dataset(),
                       .metric = sweep.objective().metric(),
                       .goal = sweep.objective().goal(),
                       .axes = Strings(response.axes())};
  Effects& effects = report.effects;
  effects.notes = Strings(response.notes());
  effects.observations = response.observations();
  effects.residual_df = response.residual_df();
  effects.residual_sum_of_squares = response.residual_sum_of_squares();
  effects.total_sum_of_squares = response.total_sum_of_squares();
  effects.leader = Strings(response.leader());
  for (const v1::EffectTerm& term : response.terms()) {
    effects.terms.push_back({.name = term.name(),
                             .axes = {term.axes().begin(), term.axes().end()},
                             .df = term.df(),
                             .sum_of_squares = term.sum_of_squares(),
                             .share = term.share()});
    if (term.has_f()) effects.terms.back().f = term.f();
    if (term.has_p()) effects.terms.back().p = term.p();
  }
  for (const v1::EffectLevel& level : response.levels()) {
    if (level.axis() < 0 || level.axis() >= response.axes_size()) continue;
    effects.levels.push_back({.axis = level.axis(),
                              .level = level.level(),
                              .cells = level.cells(),
                              .results = level.results(),
                              .diverged = level.diverged(),
                              .failed = level.failed(),
                              .of_leader = level.of_leader()});
    if (level.has_mean()) effects.levels.back().mean = level.mean();
    if (level.has_ci()) effects.levels.back().ci = level.ci();
    if (level.has_cost()) effects.levels.back().cost = DifferenceFromProto(level.cost());
  }
  return report;
}

Table FromProto(const v1::QueryResponse& response) {
  std::vector<std::vector<QueryValue>> rows;
  for (const v1::Row& row : response.rows()) {
    std::vector<QueryValue> values;
    for (const v1::Value& value : row.values()) {
      switch (value.value_case()) {
        case v1::Value::kInteger:
          values.emplace_back(value.integer());
          break;
        case v1::Value::kReal:
          values.emplace_back(value.real());
          break;
        case v1::Value::kText:
          values.emplace_back(value.text());
          break;
        case v1::Value::kBlob:
          values.emplace_back(QueryBlob{value.blob()});
          break;
        case v1::Value::VALUE_NOT_SET:
          values.emplace_back(std::monostate());
          break;
      }
    }
    values.resize(static_cast<size_t>(response.columns_size()));
    rows.push_back(std::move(values));
  }
  return QueryTable({response.columns().begin(), response.columns().end()}, rows);
}

}  // namespace gridsweep
