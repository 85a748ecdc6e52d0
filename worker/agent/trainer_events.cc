#include "worker/agent/trainer_events.h"

#include <algorithm>

#include "common/base/json.h"
#include "worker/agent/utf8_text.h"

namespace gridsweep::agent {
namespace {

constexpr size_t kMaxErrorBytes = 2000;

std::string OptionalText(const Json& json, const char* key) {
  const auto it = json.find(key);
  return it != json.end() && it->is_string() ? it->get<std::string>() : std::string();
}

int64_t OptionalInteger(const Json& json, const char* key) {
  const auto it = json.find(key);
  return it != json.end() && it->is_number_integer() ? it->get<int64_t>() : 0;
}

absl::StatusOr<double> Number(const Json& json, const char* key) {
  GS_ASSIGN_OR_RETURN(const Json field, GetField<Json>(json, key));
  const std::optional<double> value = NumberFromJson(field);
  if (!value) return InvalidArgument("field \"{}\" is not a number: {}", key, field.dump());
  return *value;
}

TrainerHello ParseHello(const Json& json) {
  return {.protocol = static_cast<int>(OptionalInteger(json, "protocol")),
          .version = OptionalText(json, "version"),
          .libtorch = OptionalText(json, "libtorch"),
          .blas = OptionalText(json, "blas"),
          .device_model = OptionalText(json, "device_model"),
          .memory_bytes = OptionalInteger(json, "memory_bytes")};
}

absl::StatusOr<AttemptStarted> ParseStarted(const Json& json) {
  AttemptStarted started;
  GS_ASSIGN_OR_RETURN(const Json dataset, GetField<Json>(json, "dataset"));
  GS_ASSIGN_OR_RETURN(started.dataset.name, GetField<std::string>(dataset, "name"));
  GS_ASSIGN_OR_RETURN(started.dataset.digest, GetField<std::string>(dataset, "digest"));
  GS_ASSIGN_OR_RETURN(started.dataset.class_names,
                      GetField<std::vector<std::string>>(dataset, "class_names"));
  GS_ASSIGN_OR_RETURN(started.dataset.train_size, GetField<int64_t>(dataset, "train_size"));
  GS_ASSIGN_OR_RETURN(started.dataset.test_size, GetField<int64_t>(dataset, "test_size"));
  GS_ASSIGN_OR_RETURN(started.device, GetField<std::string>(json, "device"));
  GS_ASSIGN_OR_RETURN(started.environment, GetField<std::string>(json, "environment"));
  started.resumed_epoch = OptionalInteger(json, "resumed_epoch");
  return started;
}

absl::StatusOr<EpochMetrics> ParseEpoch(const Json& json) {
  EpochMetrics epoch;
  GS_ASSIGN_OR_RETURN(epoch.epoch, GetField<int64_t>(json, "epoch"));
  GS_ASSIGN_OR_RETURN(epoch.train_loss, Number(json, "train_loss"));
  GS_ASSIGN_OR_RETURN(epoch.train_accuracy, Number(json, "train_accuracy"));
  if (json.contains("val_loss")) {
    GS_ASSIGN_OR_RETURN(epoch.val_loss, Number(json, "val_loss"));
  }
  if (json.contains("val_accuracy")) {
    GS_ASSIGN_OR_RETURN(epoch.val_accuracy, Number(json, "val_accuracy"));
  }
  GS_ASSIGN_OR_RETURN(epoch.test_loss, Number(json, "test_loss"));
  GS_ASSIGN_OR_RETURN(epoch.test_accuracy, Number(json, "test_accuracy"));
  GS_ASSIGN_OR_RETURN(epoch.lr, Number(json, "lr"));
  GS_ASSIGN_OR_RETURN(epoch.seconds, Number(json, "seconds"));
  GS_ASSIGN_OR_RETURN(epoch.samples_per_second, Number(json, "samples_per_second"));
  if (json.contains("shared_by")) {
    GS_ASSIGN_OR_RETURN(epoch.shared_by, GetField<int64_t>(json, "shared_by"));
    if (epoch.shared_by < 1) return InvalidArgument("shared_by is {}, expected at least 1", epoch.shared_by);
  }
  return epoch;
}

// The name of a file decides where it is read from: nothing but a hash.
absl::StatusOr<std::string> ParseHash(const Json& json, const char* key) {
  GS_ASSIGN_OR_RETURN(std::string hash, GetField<std::string>(json, key));
  if (hash.size() == 64 && hash.find_first_not_of("0123456789abcdef") == std::string::npos) return hash;
  return InvalidArgument("field \"{}\" is not 64 lower-case hex digits: '{}'", key, hash.substr(0, 80));
}

absl::StatusOr<TrainerFile> ParseFile(const Json& json, bool is_model) {
  TrainerFile file{.is_model = is_model};
  GS_ASSIGN_OR_RETURN(file.epoch, GetField<int64_t>(json, "epoch"));
  GS_ASSIGN_OR_RETURN(file.sha256, ParseHash(json, is_model ? "artifact" : "checkpoint"));
  GS_ASSIGN_OR_RETURN(file.bytes, GetField<int64_t>(json, "bytes"));
  if (file.epoch < 1 || file.bytes < 1)
    return InvalidArgument("a file of {} bytes after epoch {}", file.bytes, file.epoch);
  return file;
}

absl::StatusOr<Evaluation> ParseEvaluation(const Json& json) {
  Evaluation evaluation;
  GS_ASSIGN_OR_RETURN(evaluation.confusion, GetField<std::vector<int64_t>>(json, "confusion"));
  GS_ASSIGN_OR_RETURN(const Json predictions, GetField<Json>(json, "predictions"));
  for (const Json& row : predictions) {
    if (!row.is_array() || row.size() != 4 || !row[0].is_number_integer() || !row[1].is_number_integer() ||
        !row[2].is_number_integer() || !NumberFromJson(row[3])) {
      return InvalidArgument("a prediction is not [index, actual, predicted, confidence]: {}", row.dump());
    }
    evaluation.predictions.push_back({.index = row[0].get<int64_t>(),
                                      .actual = row[1].get<int64_t>(),
                                      .predicted = row[2].get<int64_t>(),
                                      .confidence = *NumberFromJson(row[3])});
  }
  return evaluation;
}

absl::StatusOr<AttemptFinished> ParseFinished(const Json& json) {
  AttemptFinished finished;
  GS_ASSIGN_OR_RETURN(const std::string outcome, GetField<std::string>(json, "outcome"));
  finished.error = ValidUtf8(OptionalText(json, "error"), kMaxErrorBytes);
  if (outcome == "succeeded") {
    finished.outcome = Outcome::kSucceeded;
    GS_ASSIGN_OR_RETURN(const Json evaluation, GetField<Json>(json, "evaluation"));
    GS_ASSIGN_OR_RETURN(finished.evaluation, ParseEvaluation(evaluation));
  } else if (outcome == "diverged") {
    finished.outcome = Outcome::kDiverged;
  } else if (outcome == "failed") {
    finished.outcome = Outcome::kFailed;
    const auto retryable = json.find("retryable");
    finished.retryable = retryable == json.end() || !retryable->is_boolean() || retryable->get<bool>();
    const auto unusable = json.find("data_unusable");
    finished.data_unusable = unusable != json.end() && unusable->is_boolean() && unusable->get<bool>();
  } else {
    return InvalidArgument("unknown outcome '{}', expected succeeded, diverged or failed", outcome);
  }
  return finished;
}

}  // namespace

absl::StatusOr<TrainerEvent> ParseTrainerEvent(std::string_view line) {
  GS_ASSIGN_OR_RETURN(const Json json, ParseJson(line));
  GS_ASSIGN_OR_RETURN(const std::string type, GetField<std::string>(json, "type"));
  TrainerEvent event;
  if (type == "hello") {
    event.body = ParseHello(json);
    return event;
  }
  if (type == "error") {
    event.body = TrainerComplaint{ValidUtf8(OptionalText(json, "error"), kMaxErrorBytes)};
    return event;
  }
  GS_ASSIGN_OR_RETURN(event.attempt, GetField<int64_t>(json, "attempt"));
  if (type == "started") {
    GS_ASSIGN_OR_RETURN(event.body, ParseStarted(json));
  } else if (type == "progress") {
    TrainerProgress progress;
    GS_ASSIGN_OR_RETURN(progress.epoch, GetField<int64_t>(json, "epoch"));
    GS_ASSIGN_OR_RETURN(progress.fraction, Number(json, "fraction"));
    event.body = progress;
  } else if (type == "epoch") {
    GS_ASSIGN_OR_RETURN(event.body, ParseEpoch(json));
  } else if (type == "finished") {
    GS_ASSIGN_OR_RETURN(event.body, ParseFinished(json));
  } else if (type == "checkpoint" || type == "model") {
    GS_ASSIGN_OR_RETURN(event.body, ParseFile(json, type == "model"));
  } else if (type == "checkpoint_unusable") {
    CheckpointUnusable unusable{.sha256 = {},
                                .error = ValidUtf8(OptionalText(json, "error"), kMaxErrorBytes)};
    GS_ASSIGN_OR_RETURN(unusable.sha256, ParseHash(json, "checkpoint"));
    event.body = std::move(unusable);
  } else if (type == "stopped") {
    event.body = TrainerStopped{json.value("error", ""), json.value("retry_alone", false)};
  } else {
    return InvalidArgument("unknown event type '{}'", type);
  }
  return event;
}

absl::StatusOr<RunItem> ParseRunItem(int64_t attempt, std::string_view job_json) {
  GS_ASSIGN_OR_RETURN(Json job, ParseJson(job_json));
  if (!job.is_object()) return InvalidArgument("a job must be a JSON object");
  return RunItem{attempt, std::move(job)};
}

std::string RunCommand(std::vector<RunItem> items) {
  Json bundle = Json::array();
  for (RunItem& item : items) {
    bundle.push_back({{"attempt", item.attempt}, {"job", std::move(item.job)}});
    if (!item.resume.empty()) bundle.back()["resume"] = std::move(item.resume);
  }
  Json command = {{"type", "run"}};
  if (bundle.size() == 1) {
    command.update(bundle.front());
  } else {
    command["bundle"] = std::move(bundle);
  }
  return command.dump() + "\n";
}

std::string StopCommand(int64_t attempt) {
  return Json{{"type", "stop"}, {"attempt", attempt}}.dump() + "\n";
}

absl::StatusOr<std::vector<Device>> ParseDeviceList(std::string_view text) {
  std::vector<Device> devices;
  while (!text.empty()) {
    const size_t newline = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, newline);
    text.remove_prefix(std::min(newline + 1, text.size()));
    if (line.empty()) continue;
    GS_ASSIGN_OR_RETURN(const Json json, ParseJson(line));
    Device device;
    GS_ASSIGN_OR_RETURN(device.name, GetField<std::string>(json, "name"));
    device.model = OptionalText(json, "model");
    device.memory_bytes = OptionalInteger(json, "memory_bytes");
    devices.push_back(std::move(device));
  }
  if (devices.empty()) return InvalidArgument("expected a line for each device, got none");
  return devices;
}

}  // namespace gridsweep::agent
