#include "worker/trainer/protocol.h"

#include "common/base/version.h"
#include "worker/trainer/metrics_json.h"

namespace gridsweep {
namespace {

constexpr int kProtocol = 3;

Json EvaluationJson(const Evaluation& evaluation) {
  Json predictions = Json::array();
  for (const Prediction& p : evaluation.predictions) {
    predictions.push_back({p.index, p.actual, p.predicted, NumberToJson(p.confidence)});
  }
  return {{"confusion", evaluation.confusion}, {"predictions", std::move(predictions)}};
}

Json Finished(int64_t attempt, const char* outcome) {
  return {{"type", "finished"}, {"attempt", attempt}, {"outcome", outcome}};
}

absl::StatusOr<int64_t> AttemptOf(const Json& json) {
  if (json.is_object() && json.contains("attempt") && json["attempt"].is_number_integer())
    return json["attempt"].get<int64_t>();
  return InvalidArgument("commands need a whole number \"attempt\"");
}

absl::StatusOr<RunCommand::Job> ParseJob(const Json& json) {
  GS_ASSIGN_OR_RETURN(const int64_t attempt, AttemptOf(json));
  if (!json.contains("job") || !json["job"].is_object())
    return InvalidArgument("command 'run' needs an object \"job\"");
  RunCommand::Job job{attempt, json["job"], {}};
  if (!json.contains("resume")) return job;
  if (!json["resume"].is_array()) return InvalidArgument("\"resume\" of command 'run' is no list");
  for (const Json& checkpoint : json["resume"]) {
    if (!checkpoint.is_string()) return InvalidArgument("\"resume\" of command 'run' has more than texts");
    job.resume.push_back(checkpoint.get<std::string>());
  }
  return job;
}

}  // namespace

absl::StatusOr<TrainerCommand> ParseTrainerCommand(std::string_view line) {
  GS_ASSIGN_OR_RETURN(const Json json, ParseJson(line));
  if (!json.is_object()) return InvalidArgument("expected an object, got {}", json.type_name());
  GS_ASSIGN_OR_RETURN(const std::string type, GetField<std::string>(json, "type"));
  if (type != "run" && type != "stop")
    return InvalidArgument("unknown command '{}', expected run or stop", type);
  if (type == "stop") {
    GS_ASSIGN_OR_RETURN(const int64_t attempt, AttemptOf(json));
    return StopCommand{attempt};
  }
  RunCommand command;
  if (!json.contains("bundle")) {
    GS_ASSIGN_OR_RETURN(command.jobs.emplace_back(), ParseJob(json));
    return command;
  }
  if (!json["bundle"].is_array() || json["bundle"].empty())
    return InvalidArgument("command 'run' needs a list \"bundle\" that is not empty");
  for (const Json& job : json["bundle"]) {
    GS_ASSIGN_OR_RETURN(command.jobs.emplace_back(), ParseJob(job));
  }
  return command;
}

std::string TrainerIdentity::Environment() const {
  const std::string torch = fmt::format("LibTorch {}", libtorch);
  const std::string library = device.name == "cpu" ? fmt::format("{}, {}", torch, blas) : torch;
  return fmt::format("{}, {} kernels, {}", library, kernels, device.model);
}

Json HelloEvent(const TrainerIdentity& identity) {
  return {{"type", "hello"},
          {"protocol", kProtocol},
          {"version", Version()},
          {"libtorch", identity.libtorch},
          {"blas", identity.blas},
          {"kernels", identity.kernels},
          {"device", identity.device.name},
          {"device_model", identity.device.model},
          {"memory_bytes", identity.device.memory_bytes},
          {"slots", identity.slots},
          {"environment", identity.Environment()}};
}

Json StartedEvent(int64_t attempt, const DatasetInfo& dataset, const TrainerIdentity& identity,
                  int64_t resumed_epoch) {
  Json json = {{"type", "started"},
               {"attempt", attempt},
               {"dataset",
                {{"name", dataset.name},
                 {"digest", dataset.digest},
                 {"class_names", dataset.class_names},
                 {"train_size", dataset.train_size},
                 {"test_size", dataset.test_size}}},
               {"device", identity.device.name},
               {"environment", identity.Environment()}};
  if (resumed_epoch > 0) json["resumed_epoch"] = resumed_epoch;
  return json;
}

Json CheckpointUnusableEvent(int64_t attempt, const std::string& sha256, const std::string& error) {
  return {{"type", "checkpoint_unusable"}, {"attempt", attempt}, {"checkpoint", sha256}, {"error", error}};
}

Json ProgressEvent(int64_t attempt, int64_t epoch, double fraction) {
  return {{"type", "progress"}, {"attempt", attempt}, {"epoch", epoch}, {"fraction", fraction}};
}

Json EpochEvent(int64_t attempt, const EpochMetrics& metrics) {
  Json json = MetricsToJson(metrics);
  json["type"] = "epoch";
  json["attempt"] = attempt;
  return json;
}

Json CheckpointEvent(int64_t attempt, int64_t epoch, const StoredFile& file) {
  return {{"type", "checkpoint"},
          {"attempt", attempt},
          {"epoch", epoch},
          {"checkpoint", file.sha256},
          {"bytes", file.bytes}};
}

Json ModelEvent(int64_t attempt, int64_t epoch, const StoredFile& file) {
  return {{"type", "model"},
          {"attempt", attempt},
          {"epoch", epoch},
          {"artifact", file.sha256},
          {"bytes", file.bytes}};
}

Json EndEvent(int64_t attempt, const absl::StatusOr<JobOutcome>& outcome) {
  if (!outcome.ok()) {
    Json json = Finished(attempt, "failed");
    json["error"] = Message(outcome.status());
    if (absl::IsUnavailable(outcome.status())) json["data_unusable"] = true;
    json["retryable"] = !absl::IsInvalidArgument(outcome.status()) && !absl::IsNotFound(outcome.status());
    return json;
  }
  Json json;
  switch (outcome->end) {
    case JobOutcome::End::kSucceeded:
      json = Finished(attempt, "succeeded");
      json["evaluation"] = EvaluationJson(outcome->evaluation);
      break;
    case JobOutcome::End::kDiverged:
      json = Finished(attempt, "diverged");
      json["error"] = outcome->error;
      break;
    case JobOutcome::End::kStopped:
      json = {{"type", "stopped"}, {"attempt", attempt}};
      if (!outcome->error.empty()) json["error"] = outcome->error;
      if (outcome->retry_alone) json["retry_alone"] = true;
      break;
  }
  return json;
}

Json ErrorEvent(std::string_view error) {
  return {{"type", "error"}, {"error", error}};
}

Json DeviceJson(const DeviceInfo& device) {
  return {{"name", device.name}, {"model", device.model}, {"memory_bytes", device.memory_bytes}};
}

}  // namespace gridsweep
