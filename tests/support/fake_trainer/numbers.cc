#include "tests/support/fake_trainer/numbers.h"

#include <map>

#include "common/base/sha256.h"
#include "common/catalog/catalog.h"

namespace gridsweep {
namespace {

// Uniform in [0, 1), a pure function of both.
double Hashed(const Json& what, const std::string& purpose) {
  const std::string hex = Sha256Hex(purpose + what.dump()).substr(0, 12);
  return static_cast<double>(std::stoull(hex, nullptr, 16)) / static_cast<double>(1ULL << 48);
}

// The schedule of a job whose document tells its scheduler and learning rate.
void FindScheduler(RunningJob& running) {
  const Json scheduler = running.job.value("scheduler", Json());
  const Json optimizer = running.job.value("optimizer", Json());
  if (!scheduler.is_object() || !optimizer.is_object()) return;
  const Json rate = optimizer.value("params", Json::object()).value("lr", Json());
  if (!rate.is_number()) return;
  std::map<std::string, ParamValue> params;
  const Json given = scheduler.value("params", Json::object());
  for (const auto& [name, value] : given.items()) params[name] = ParamValueFromJson(value).value();
  const Component component =
      Catalog::Builtin().Resolve(Axis::kScheduler, scheduler.value("name", "none"), params).value();
  running.lr = rate.get<double>();
  running.scheduler =
      Schedulers().Make(component, running.lr, running.job["training"].value("epochs", int64_t{1}));
}

}  // namespace

RunningJob MakeRunningJob(const Json& job) {
  RunningJob running;
  running.job = running.prefix = job;
  running.prefix.erase("scheduler");
  running.prefix.erase("dataset_digest");
  FindScheduler(running);
  return running;
}

std::string FakeDigest(const std::string& dataset) {
  return Sha256Hex("fake data set " + dataset);
}

void TakeEpoch(RunningJob& running, size_t shared_by) {
  running.shared_by.push_back(shared_by);
  running.path = Sha256Hex(fmt::format("{} {}", running.path, running.lr));
}

void NextRate(RunningJob& running, const Json& event) {
  if (running.scheduler == nullptr) return;
  EpochMetrics done;
  done.epoch = event["epoch"];
  done.test_loss = event["test_loss"];
  if (event.contains("val_loss")) done.val_loss = event["val_loss"].get<double>();
  running.lr = running.scheduler->Next(done);
}

Json EpochEvent(int64_t attempt, const RunningJob& running, int64_t epoch, size_t shared_by) {
  Json cell = running.prefix;
  cell.erase("seed");
  const double ceiling = 0.55 + 0.4 * Hashed(cell, "ceiling") + 0.02 * Hashed(running.prefix, "seed") +
                         0.01 * Hashed(running.path, "path");
  const double accuracy = ceiling * static_cast<double>(epoch) / static_cast<double>(epoch + 1);
  const double noise = 0.01 * Hashed(running.prefix, "noise" + running.path);
  Json event = {{"type", "epoch"},
                {"attempt", attempt},
                {"epoch", epoch},
                {"train_loss", 2.5 * (1 - accuracy)},
                {"train_accuracy", accuracy + noise},
                {"test_loss", 2.6 * (1 - accuracy)},
                {"test_accuracy", accuracy - noise},
                {"lr", running.lr},
                {"seconds", 0.5},
                {"samples_per_second", 1000.0}};
  if (running.job["training"].value("validation", 0.0) > 0) {
    event["val_loss"] = 2.55 * (1 - accuracy);
    event["val_accuracy"] = accuracy;
  }
  if (shared_by > 1) event["shared_by"] = shared_by;
  return event;
}

std::map<std::string, std::string> Progress(const RunningJob& running) {
  return {
      {"job", running.prefix.dump()}, {"path", running.path}, {"shared_by", Json(running.shared_by).dump()}};
}

absl::StatusOr<std::vector<Json>> GoOnFrom(std::map<std::string, std::string> progress, int64_t attempt,
                                           RunningJob& running) {
  if (progress["job"] != running.prefix.dump()) return FailedPrecondition("the checkpoint is of another job");
  GS_ASSIGN_OR_RETURN(const Json shared_by, ParseJson(progress["shared_by"]));
  RunningJob replayed = MakeRunningJob(running.job);
  std::vector<Json> events;
  for (const Json& jobs : shared_by) {
    const auto epoch = static_cast<int64_t>(events.size()) + 1;
    TakeEpoch(replayed, jobs.get<size_t>());
    events.push_back(EpochEvent(attempt, replayed, epoch, jobs.get<size_t>()));
    if (epoch == static_cast<int64_t>(shared_by.size()) && replayed.path != progress["path"])
      return FailedPrecondition("the checkpoint is of a job with other learning rates");
    NextRate(replayed, events.back());
  }
  running = std::move(replayed);
  return events;
}

Json StartedEvent(int64_t attempt, const RunningJob& running, const std::string& device,
                  const std::string& environment) {
  const std::string dataset = running.job.at("dataset");
  return {{"type", "started"},
          {"attempt", attempt},
          {"dataset",
           {{"name", dataset},
            {"digest", FakeDigest(dataset)},
            {"class_names", {"a", "b", "c"}},
            {"train_size", 60},
            {"test_size", 30}}},
          {"device", device},
          {"environment", environment}};
}

Json FinishedEvent(int64_t attempt, const RunningJob& running) {
  const Json job = {running.prefix, running.path};
  Json confusion = Json::array();
  for (int row = 0; row < 3; ++row) {
    const int wrong = static_cast<int>(5 * Hashed(job, "row" + std::to_string(row)));
    for (int column = 0; column < 3; ++column) {
      confusion.push_back(column == row ? 10 - wrong : column == (row + 1) % 3 ? wrong : 0);
    }
  }
  Json predictions = Json::array();
  for (int index = 0; index < 4; ++index) {
    const double confidence = 0.5 + 0.5 * Hashed(job, "confidence" + std::to_string(index));
    predictions.push_back({index, index % 3, confidence > 0.75 ? index % 3 : (index + 1) % 3, confidence});
  }
  return {{"type", "finished"},
          {"attempt", attempt},
          {"outcome", "succeeded"},
          {"evaluation", {{"confusion", confusion}, {"predictions", predictions}}}};
}

}  // namespace gridsweep
