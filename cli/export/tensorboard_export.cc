#include "cli/export/tensorboard_export.h"

#include <filesystem>
#include <limits>
#include <map>
#include <set>
#include <unordered_map>

#include "cli/export/event_file.h"
#include "cli/export/folder_writer.h"
#include "common/job/job_spec.h"
#include "tensorboard/event.pb.h"

namespace gridsweep {
namespace {

constexpr char kPlugin[] = "hparams";
constexpr char kExperimentTag[] = "_hparams_/experiment";
constexpr char kStartTag[] = "_hparams_/session_start_info";
constexpr char kEndTag[] = "_hparams_/session_end_info";

// Columns of v_epochs that become scalars, and their tags: those with the same prefix share a section.
constexpr std::pair<const char*, const char*> kScalars[] = {{"train_loss", "loss/train"},
                                                            {"val_loss", "loss/val"},
                                                            {"test_loss", "loss/test"},
                                                            {"train_accuracy", "accuracy/train"},
                                                            {"val_accuracy", "accuracy/val"},
                                                            {"test_accuracy", "accuracy/test"},
                                                            {"lr", "lr"},
                                                            {"seconds", "seconds"}};
// Of a whole job, for the HParams tables.
constexpr char kObjectiveTag[] = "result/objective";
constexpr char kTestAccuracyTag[] = "result/test_accuracy";

struct JobRow {
  int64_t id = 0;
  int64_t cell = 0;
  int64_t seed = 0;
  std::string state;
  std::vector<std::string> labels;  // five, in axis order
  std::optional<double> lr;
  std::optional<double> objective;
  int64_t objective_epoch = 0;
  std::optional<double> test_accuracy;
  double started = 0;
  double finished = 0;
};

std::optional<double> Real(const v1::Value& value) {
  if (value.has_real()) return value.real();
  if (value.has_integer()) return static_cast<double>(value.integer());
  return std::nullopt;
}

double Seconds(const v1::Value& micros) {
  return static_cast<double>(micros.integer()) / 1e6;
}

absl::StatusOr<std::vector<JobRow>> ReadJobs(Client& client, int64_t sweep,
                                             const std::vector<ExportedJob>& jobs) {
  std::vector<JobRow> rows;
  const ViewPart part{
      .view = "v_jobs",
      .columns =
          "job, cell, seed, state, model, activation, optimizer, regularization, scheduler, lr, "
          "objective, objective_epoch, test_accuracy, started_us, finished_us",
      .order = "job",
      .rows_of = [](const ExportedJob&) -> int64_t { return 1; }};
  GS_RETURN_IF_ERROR(ReadView(client, sweep, jobs, part, [&](const v1::Row& row) {
    JobRow& job = rows.emplace_back();
    job.id = row.values(0).integer();
    job.cell = row.values(1).integer();
    job.seed = row.values(2).integer();
    job.state = row.values(3).text();
    for (int axis = 0; axis < kAxisCount; ++axis) job.labels.push_back(row.values(4 + axis).text());
    job.lr = Real(row.values(9));
    job.objective = Real(row.values(10));
    job.objective_epoch = row.values(11).integer();
    job.test_accuracy = Real(row.values(12));
    job.started = Seconds(row.values(13));
    job.finished = Seconds(row.values(14));
    return absl::OkStatus();
  }));
  return rows;
}

tensorboard::Event PluginEvent(double seconds, const char* tag, const tensorboard::HParamsPluginData& data) {
  tensorboard::Event event;
  event.set_wall_time(seconds);
  tensorboard::Summary::Value* const value = event.mutable_summary()->add_value();
  value->set_tag(tag);
  auto* const plugin = value->mutable_metadata()->mutable_plugin_data();
  plugin->set_plugin_name(kPlugin);
  plugin->set_content(data.SerializeAsString());
  return event;
}

void AddScalar(const char* tag, double value, tensorboard::Event& event) {
  tensorboard::Summary::Value* const added = event.mutable_summary()->add_value();
  added->set_tag(tag);
  added->set_simple_value(static_cast<float>(value));
}

// What the HParams dashboard is told of the whole sweep: its columns and what they can hold.
tensorboard::Event ExperimentEvent(const v1::SweepSummary& sweep, const std::vector<JobRow>& jobs) {
  tensorboard::HParamsPluginData data;
  tensorboard::Experiment* const experiment = data.mutable_experiment();
  const double created = static_cast<double>(sweep.created_us()) / 1e6;
  experiment->set_name(sweep.name());
  experiment->set_time_created_secs(created);
  for (size_t axis = 0; axis < kAxisCount; ++axis) {
    std::set<std::string> levels;
    for (const JobRow& job : jobs) levels.insert(job.labels[axis]);
    tensorboard::HParamInfo* const info = experiment->add_hparam_infos();
    info->set_name(std::string(AxisName(kAllAxes[axis])));
    info->set_type(tensorboard::DATA_TYPE_STRING);
    for (const std::string& level : levels)
      info->mutable_domain_discrete()->add_values()->set_string_value(level);
  }
  for (const char* name : {"lr", "seed"}) {
    tensorboard::HParamInfo* const info = experiment->add_hparam_infos();
    info->set_name(name);
    info->set_type(tensorboard::DATA_TYPE_FLOAT64);
  }
  const auto add_metric = [&](const char* tag, const std::string& shown) {
    tensorboard::MetricInfo* const metric = experiment->add_metric_infos();
    metric->mutable_name()->set_tag(tag);
    metric->set_display_name(shown);
  };
  add_metric(kObjectiveTag, sweep.objective().metric());
  if (sweep.objective().metric() != "test_accuracy") add_metric(kTestAccuracyTag, "test_accuracy");
  return PluginEvent(created, kExperimentTag, data);
}

tensorboard::Event StartEvent(const JobRow& job) {
  tensorboard::HParamsPluginData data;
  tensorboard::SessionStartInfo* const info = data.mutable_session_start_info();
  info->set_group_name("cell " + std::to_string(job.cell));
  info->set_start_time_secs(job.started);
  auto& hparams = *info->mutable_hparams();
  for (size_t axis = 0; axis < kAxisCount; ++axis)
    hparams[std::string(AxisName(kAllAxes[axis]))].set_string_value(job.labels[axis]);
  if (job.lr) hparams["lr"].set_number_value(*job.lr);
  hparams["seed"].set_number_value(static_cast<double>(job.seed));
  return PluginEvent(job.started, kStartTag, data);
}

tensorboard::Event EndEvent(const JobRow& job) {
  tensorboard::HParamsPluginData data;
  tensorboard::SessionEndInfo* const info = data.mutable_session_end_info();
  info->set_status(job.state == "succeeded"                           ? tensorboard::STATUS_SUCCESS
                   : job.state == "running" || job.state == "pending" ? tensorboard::STATUS_RUNNING
                                                                      : tensorboard::STATUS_FAILURE);
  info->set_end_time_secs(job.finished);
  return PluginEvent(job.finished, kEndTag, data);
}

// The event files of jobs whose epochs come in order, one after the other.
class RunWriter {
 public:
  RunWriter(std::string folder, const std::vector<JobRow>& jobs) : folder_(std::move(folder)) {
    for (const JobRow& job : jobs) jobs_.emplace(job.id, &job);
  }

  // `row`: job, epoch, nonfinite, stored_us, then kScalars.
  absl::Status TakeEpoch(const v1::Row& row) {
    const auto job = jobs_.find(row.values(0).integer());
    if (job == jobs_.end()) return absl::OkStatus();  // began after the jobs were read
    GS_RETURN_IF_ERROR(BeginJob(*job->second));
    tensorboard::Event event;
    event.set_step(row.values(1).integer());
    event.set_wall_time(Seconds(row.values(3)));
    const std::string& nonfinite = row.values(2).text();
    int column = 4;
    for (const auto& [name, tag] : kScalars) {
      const std::optional<double> value = Real(row.values(column++));
      if (value) AddScalar(tag, *value, event);
      if (!value && (" " + nonfinite).find(fmt::format(" {}=", name)) != std::string::npos)
        AddScalar(tag, std::numeric_limits<double>::quiet_NaN(), event);
    }
    file_->Write(event);
    return absl::OkStatus();
  }

  absl::Status EndJob() {
    if (!file_) return absl::OkStatus();
    if (current_->objective) {
      tensorboard::Event result;
      result.set_step(current_->objective_epoch);
      result.set_wall_time(current_->finished);
      AddScalar(kObjectiveTag, *current_->objective, result);
      if (current_->test_accuracy) AddScalar(kTestAccuracyTag, *current_->test_accuracy, result);
      file_->Write(result);
    }
    file_->Write(EndEvent(*current_));
    const absl::Status closed = file_->Close();
    file_.reset();
    return closed;
  }

 private:
  absl::Status BeginJob(const JobRow& job) {
    if (file_ && current_ == &job) return absl::OkStatus();
    GS_RETURN_IF_ERROR(EndJob());
    current_ = &job;
    const std::string run = fmt::format("{}/job-{}", folder_, job.id);
    std::error_code error;
    std::filesystem::create_directory(run, error);
    if (error) return Unavailable("cannot make the folder '{}': {}", run, error.message());
    file_.emplace(fmt::format("{}/events.out.tfevents.{}.gridsweep", run, static_cast<int64_t>(job.started)),
                  job.started);
    file_->Write(StartEvent(job));
    return absl::OkStatus();
  }

  std::string folder_;
  std::unordered_map<int64_t, const JobRow*> jobs_;
  const JobRow* current_ = nullptr;
  std::optional<EventFile> file_;
};

}  // namespace

absl::Status ExportTensorboard(Client& client, const v1::SweepSummary& sweep,
                               const std::vector<ExportedJob>& jobs, const std::string& folder,
                               Context& context) {
  GS_ASSIGN_OR_RETURN(FolderWriter writer, FolderWriter::Create(folder));
  GS_ASSIGN_OR_RETURN(const std::vector<JobRow> rows, ReadJobs(client, sweep.id(), jobs));
  const double created = static_cast<double>(sweep.created_us()) / 1e6;
  EventFile experiment(
      fmt::format("{}/events.out.tfevents.{}.gridsweep", writer.temporary(), static_cast<int64_t>(created)),
      created);
  experiment.Write(ExperimentEvent(sweep, rows));
  GS_RETURN_IF_ERROR(experiment.Close());

  std::string columns = "job, epoch, coalesce(nonfinite, ''), stored_us";
  for (const auto& [name, tag] : kScalars) columns += fmt::format(", {}", name);
  const ViewPart part{
      .view = "v_epochs", .columns = columns, .order = "job, epoch", .rows_of = [](const ExportedJob& job) {
        return std::max<int64_t>(job.epochs, 1);
      }};
  RunWriter runs(writer.temporary(), rows);
  int64_t epochs = 0;
  GS_RETURN_IF_ERROR(ReadView(client, sweep.id(), jobs, part, [&](const v1::Row& row) -> absl::Status {
    if (++epochs % 1024 == 0 && context.interruptions() > 0) return absl::CancelledError("interrupted");
    return runs.TakeEpoch(row);
  }));
  GS_RETURN_IF_ERROR(runs.EndJob());
  return writer.Finish();
}

}  // namespace gridsweep
