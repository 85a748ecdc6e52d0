#include "coordinator/service/sweep_views.h"

#include "common/base/json.h"
#include "common/rpc/convert.h"

namespace gridsweep {

std::string AxisUse::ShortLabel(const std::vector<std::string>& labels) const {
  if (varying.empty()) return labels.empty() ? "" : labels.front();
  std::string label;
  for (const size_t axis : varying) {
    if (!label.empty()) label += ' ';
    label += shortener.Shorten(labels[axis]);
  }
  return label;
}

AxisUse FindAxisUse(const std::vector<std::vector<std::string>>& levels) {
  std::vector<std::string> all;
  for (const auto& labels : levels) all.insert(all.end(), labels.begin(), labels.end());
  AxisUse use{{}, {}, LabelShortener(all)};
  for (size_t axis = 0; axis < levels.size(); ++axis) {
    if (levels[axis].size() > 1) {
      use.varying.push_back(axis);
    } else if (!levels[axis].empty()) {
      use.constants.push_back(fmt::format("{} = {}", AxisName(kAllAxes[axis]), levels[axis].front()));
    }
  }
  return use;
}

v1::JobCounts ToProto(const StateCounts& counts) {
  v1::JobCounts proto;
  proto.set_pending(counts.pending);
  proto.set_running(counts.running);
  proto.set_succeeded(counts.succeeded);
  proto.set_diverged(counts.diverged);
  proto.set_failed(counts.failed);
  proto.set_cancelled(counts.cancelled);
  return proto;
}

v1::SweepSummary ToProto(const SweepRecord& record) {
  v1::SweepSummary proto;
  proto.set_id(record.id.value);
  proto.set_name(record.name);
  proto.set_state(std::string(SweepStateName(record.state)));
  *proto.mutable_jobs() = ToProto(record.jobs);
  proto.set_dataset(record.dataset);
  proto.set_cells(record.cells);
  proto.set_seeds(record.seeds);
  proto.set_epochs(record.training.epochs);
  proto.mutable_objective()->set_metric(std::string(MetricName(record.objective.metric)));
  proto.mutable_objective()->set_goal(std::string(GoalName(record.objective.goal)));
  proto.mutable_objective()->set_epoch(std::string(EpochRuleName(record.objective.epoch)));
  proto.set_validation(record.training.validation);
  proto.set_created_us(absl::ToUnixMicros(record.created));
  if (record.finished) proto.set_finished_us(absl::ToUnixMicros(*record.finished));
  return proto;
}

v1::JobSummary ToProto(const JobRecord& record) {
  v1::JobSummary proto;
  proto.set_id(record.id.value);
  proto.set_sweep(record.sweep.value);
  proto.set_state(ToProto(record.state));
  for (const std::string& label : record.labels) proto.add_labels(label);
  proto.set_seed(record.seed);
  proto.set_attempts(record.attempts);
  if (record.objective) proto.set_objective(*record.objective);
  proto.set_objective_epoch(record.objective_epoch);
  proto.set_error(record.error);
  return proto;
}

v1::AttemptSummary ToProto(const AttemptRecord& record) {
  v1::AttemptSummary proto;
  proto.set_id(record.id.value);
  proto.set_number(record.number);
  proto.set_state(std::string(AttemptStateName(record.state)));
  proto.set_accepted(record.accepted);
  proto.set_worker(record.worker);
  proto.set_device(record.device);
  proto.set_environment(record.environment);
  proto.set_started_us(absl::ToUnixMicros(record.started));
  if (record.ended) proto.set_ended_us(absl::ToUnixMicros(*record.ended));
  proto.set_error(record.error);
  proto.set_stderr_tail(record.stderr_tail);
  proto.set_resumed_epoch(record.resumed_epoch);
  return proto;
}

v1::ModelSummary ToProto(const ModelRecord& record) {
  v1::ModelSummary proto;
  proto.set_job(record.job.value);
  proto.set_sha256(record.sha256);
  proto.set_bytes(record.bytes);
  proto.set_epoch(record.epoch);
  proto.set_objective(record.objective);
  for (const std::string& label : record.labels) proto.add_labels(label);
  proto.set_seed(record.seed);
  return proto;
}

v1::WorkerSummary ToProto(const WorkerStatusRecord& record) {
  v1::WorkerSummary proto;
  proto.set_id(record.id.value);
  proto.set_name(record.worker.name);
  proto.set_host(record.worker.host);
  if (const auto devices = ParseJson(record.worker.devices_json); devices.ok() && devices->is_array()) {
    for (const Json& device : *devices) {
      if (const auto name = GetField<std::string>(device, "name"); name.ok()) proto.add_devices(*name);
    }
  }
  proto.set_slots(record.worker.slots);
  proto.set_running(record.running);
  proto.set_version(record.worker.version);
  proto.set_libtorch_version(record.worker.libtorch_version);
  proto.set_last_seen_us(absl::ToUnixMicros(record.last_seen));
  proto.set_jobs_done(record.jobs_done);
  proto.set_failures(record.failures);
  return proto;
}

v1::RankedRow ToProto(const RankedRow& row, const std::vector<size_t>& columns) {
  v1::RankedRow proto;
  proto.set_rank(row.rank);
  for (const size_t column : columns) proto.add_labels(row.labels[column]);
  proto.set_n(row.n);
  if (row.mean) proto.set_mean(*row.mean);
  if (row.ci) proto.set_ci(*row.ci);
  if (row.sd) proto.set_sd(*row.sd);
  if (row.test_accuracy) proto.set_test_accuracy(*row.test_accuracy);
  if (row.test_loss) proto.set_test_loss(*row.test_loss);
  if (row.train_loss) proto.set_train_loss(*row.train_loss);
  if (row.best_epoch) proto.set_best_epoch(*row.best_epoch);
  if (row.seconds) proto.set_seconds(*row.seconds);
  if (row.shared_epochs) proto.set_shared_epochs(*row.shared_epochs);
  *proto.mutable_jobs() = ToProto(row.jobs);
  proto.set_note(row.note);
  proto.set_cell(row.cell);
  proto.mutable_job_ids()->Add(row.job_ids.begin(), row.job_ids.end());
  proto.set_cells(row.cells);
  proto.set_best_label(row.best_label);
  proto.set_tied(row.tied);
  proto.set_evidence(std::string(EvidenceName(row.evidence)));
  if (row.behind) *proto.mutable_behind() = ToProto(*row.behind);
  if (row.best_probability) proto.set_best_probability(*row.best_probability);
  return proto;
}

v1::Difference ToProto(const Difference& difference) {
  v1::Difference proto;
  proto.set_evidence(std::string(EvidenceName(difference.evidence)));
  proto.set_n(difference.n);
  proto.set_mean(difference.mean);
  if (difference.ci) proto.set_ci(*difference.ci);
  if (difference.p) proto.set_p(*difference.p);
  return proto;
}

v1::EffectTerm ToProto(const EffectTerm& term) {
  v1::EffectTerm proto;
  proto.set_name(term.name);
  for (const int axis : term.axes) proto.add_axes(axis);
  proto.set_df(term.df);
  proto.set_sum_of_squares(term.sum_of_squares);
  proto.set_share(term.share);
  if (term.f) proto.set_f(*term.f);
  if (term.p) proto.set_p(*term.p);
  return proto;
}

v1::EffectLevel ToProto(const EffectLevel& level) {
  v1::EffectLevel proto;
  proto.set_axis(level.axis);
  proto.set_level(level.level);
  proto.set_cells(level.cells);
  proto.set_results(level.results);
  proto.set_diverged(level.diverged);
  proto.set_failed(level.failed);
  if (level.mean) proto.set_mean(*level.mean);
  if (level.ci) proto.set_ci(*level.ci);
  proto.set_of_leader(level.of_leader);
  if (level.cost) *proto.mutable_cost() = ToProto(*level.cost);
  return proto;
}

v1::QueryResponse ToProto(const QueryResult& result) {
  v1::QueryResponse proto;
  for (const std::string& column : result.columns) proto.add_columns(column);
  for (const auto& row : result.rows) {
    v1::Row* out = proto.add_rows();
    for (const SqlValue& value : row) {
      v1::Value* cell = out->add_values();
      if (const auto* integer = std::get_if<int64_t>(&value)) cell->set_integer(*integer);
      if (const auto* real = std::get_if<double>(&value)) cell->set_real(*real);
      if (const auto* text = std::get_if<std::string>(&value)) cell->set_text(*text);
      if (const auto* blob = std::get_if<SqlBlob>(&value)) cell->set_blob(blob->bytes);
    }
  }
  proto.set_truncated(result.truncated);
  return proto;
}

}  // namespace gridsweep
