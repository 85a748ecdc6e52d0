#include "tests/simulation/sim_worker.h"

#include <algorithm>
#include <utility>

#include "gridsweep/v1/worker_service.pb.h"
#include "tests/simulation/forger.h"
#include "worker/agent/convert.h"

namespace gridsweep {
namespace {

constexpr absl::Duration kTrainerStart = absl::Milliseconds(800);
constexpr absl::Duration kShortestEpoch = absl::Milliseconds(300), kLongestEpoch = absl::Seconds(6);
// As the real agent's loop.
constexpr absl::Duration kLongestPause = absl::Seconds(15);

agent::WorkerInfo Info(int slots) {
  agent::WorkerInfo info;
  info.host = "simulated";
  info.pid = 1;
  info.devices = {{.name = "cpu", .model = "simulated", .memory_bytes = 1 << 30, .slots = slots}};
  info.version = "simulated";
  info.datasets = {"tiny"};
  return info;
}

}  // namespace

SimWorker::SimWorker(std::string name, int slots, double rate, EventQueue* events, SimRandom* random,
                     SimNetwork* network, Witness* witness)
    : name_(std::move(name)),
      slots_(slots),
      rate_(rate),
      events_(events),
      random_(random),
      network_(network),
      witness_(witness),
      transfers_(name_, events, random, network) {}

void SimWorker::Start() {
  if (core_ != nullptr) Kill();
  agent::AgentOptions options;
  options.worker = name_;
  options.session = random_->Hex32();
  options.hang_timeout = absl::Seconds(20);
  options.jitter = [random = random_] { return random->Unit(); };
  options.checkpoints = true;
  transfers_.Begin(options.session, [this, process = process_](std::function<void()> what) {
    Deliver(process, std::move(what));
  });
  core_ = std::make_unique<agent::AgentCore>(std::move(options), Info(slots_), LocalNow());
  Turn();
}

void SimWorker::Kill() {
  core_ = nullptr;
  ++process_;
  frozen_ = false;
  delayed_.clear();
  trainer_alive_ = false;
  ++trainer_;
  jobs_.clear();
  if (!random_->Chance(faults_.lose_files)) return;
  random_->Chance(0.5) ? transfers_.LoseFolder() : transfers_.DamageFiles();
}

void SimWorker::Drain() {
  Deliver(process_, [this] { core_->Drain(LocalNow()); });
}

void SimWorker::Freeze() {
  if (core_ == nullptr || frozen_) return;
  frozen_ = true;
  frozen_since_ = LocalNow();
}

void SimWorker::Thaw() {
  if (!std::exchange(frozen_, false)) return;
  if (LocalNow() - frozen_since_ > kLongestPause) core_->Pardon(LocalNow());
  // In any order: what each was waiting for is in another queue of the kernel's, but each of those keeps its order.
  for (auto& [process, what] : std::exchange(delayed_, {})) Deliver(process, std::move(what));
  if (core_ != nullptr) Turn();
}

void SimWorker::Deliver(uint64_t process, std::function<void()> what) {
  if (process != process_ || core_ == nullptr) return;
  if (frozen_) {
    delayed_.emplace_back(process, std::move(what));
    return;
  }
  what();
  if (core_ != nullptr) Turn();
}

void SimWorker::Turn() {
  core_->Tick(LocalNow());
  for (const agent::Action& action : core_->TakeActions()) Perform(action);
  if (const auto request = core_->TakeSync(LocalNow())) SendSync(*request);
  if (core_->ended()) return Kill();
  PlanWakeup();
}

void SimWorker::PlanWakeup() {
  const absl::Duration local = core_->NextWakeup(LocalNow());
  if (local == absl::InfiniteDuration()) return;
  // A bit late, as timers are: the worker's own clock must have got there.
  const absl::Duration when = std::max(local / rate_, events_->now()) + absl::Microseconds(2);
  events_->At(when, [this, process = process_, wakeup = ++wakeup_] {
    if (wakeup == wakeup_) Deliver(process, [] {});
  });
}

void SimWorker::Perform(const agent::Action& action) {
  if (std::holds_alternative<agent::StartTrainer>(action)) {
    StartTrainer();
  } else if (const auto* write = std::get_if<agent::WriteLine>(&action)) {
    if (trainer_alive_) OnCommand(write->line);
  } else if (std::holds_alternative<agent::KillTrainer>(action) && trainer_alive_) {
    trainer_alive_ = false;
    events_->After(absl::Milliseconds(1), [this, process = process_, trainer = trainer_] {
      if (trainer == trainer_) Deliver(process, [this] { EndTrainer({"killed by SIGKILL", "", {}}); });
    });
  } else {
    Transfer(action);
  }
}

void SimWorker::Transfer(const agent::Action& action) {
  if (const auto* upload = std::get_if<agent::UploadArtifact>(&action)) {
    transfers_.Upload(*upload, [this, upload = *upload](const absl::Status& status) {
      if (status.ok() && upload.is_model) {
        for (const agent::ArtifactClaim& claim : upload.claims) acknowledged_models_.insert(claim.attempt);
      }
      core_->OnUploaded(LocalNow(), status);
    });
  } else if (const auto* fetch = std::get_if<agent::FetchArtifact>(&action)) {
    transfers_.Fetch(fetch->sha256, [this, sha256 = fetch->sha256](const absl::Status& status) {
      core_->OnArtifact(LocalNow(), sha256, status);
    });
  } else if (const auto* drop = std::get_if<agent::DropArtifact>(&action)) {
    transfers_.Drop(drop->sha256);
  }
}

void SimWorker::SendSync(const agent::SyncRequest& request) {
  network_->Call(name_, agent::ToProto(request).SerializeAsString(),
                 [this, process = process_](const SimNetwork::Answer& answer) {
                   Deliver(process, [this, answer] {
                     v1::SyncResponse response;
                     if (answer.ok() && response.ParseFromString(*answer)) {
                       core_->OnSyncResponse(LocalNow(), agent::FromProto(response));
                     } else {
                       core_->OnSyncError(LocalNow(), answer.status());
                     }
                   });
                 });
}

// --- the trainer

void SimWorker::StartTrainer() {
  ++trainer_;
  trainer_alive_ = true;
  jobs_.clear();
  events_->After(kTrainerStart, [this, trainer = trainer_] {
    if (trainer != trainer_ || !trainer_alive_) return;
    Emit({{"type", "hello"},
          {"protocol", agent::kTrainerProtocol},
          {"version", "simulated"},
          {"libtorch", "0.0"},
          {"blas", "none"},
          {"device", "cpu"},
          {"device_model", "simulated"},
          {"memory_bytes", 1 << 30},
          {"slots", slots_},
          {"environment", "simulated"}});
  });
}

void SimWorker::EndTrainer(const agent::TrainerExit& exit) {
  trainer_alive_ = false;
  ++trainer_;
  jobs_.clear();
  core_->OnTrainerExit(LocalNow(), 0, exit);
}

void SimWorker::OnCommand(const std::string& line) {
  const Json command = ParseJson(line).value();
  if (command.at("type") == "stop") {
    const int64_t attempt = command.at("attempt");
    jobs_.erase(attempt);
    events_->After(absl::Milliseconds(20), [this, attempt, trainer = trainer_] {
      if (trainer == trainer_ && trainer_alive_) Emit({{"type", "stopped"}, {"attempt", attempt}});
    });
    return;
  }
  if (!command.contains("bundle")) return StartJob(command, command.at("attempt"));
  for (const Json& item : command.at("bundle")) StartJob(item, command.at("bundle").at(0).at("attempt"));
}

void SimWorker::StartJob(const Json& item, int64_t bundle) {
  const int64_t attempt = item.at("attempt");
  jobs_[attempt] = {MakeRunningJob(item.at("job")), bundle};
  const auto resume = item.value("resume", std::vector<std::string>());
  events_->After(absl::Milliseconds(50), [this, attempt, resume, trainer = trainer_] {
    if (trainer != trainer_ || !trainer_alive_ || !jobs_.contains(attempt)) return;
    std::vector<Json> unusable;
    const std::vector<Json> epochs = GoOn(attempt, resume, unusable);
    Json started = StartedEvent(attempt, jobs_.at(attempt).running, "cpu", "simulated");
    if (!epochs.empty()) started["resumed_epoch"] = epochs.size();
    TrainEpoch(attempt, std::ssize(epochs) + 1);
    Emit(started);
    for (const Json& event : unusable) Emit(event);
    for (const Json& event : epochs) Emit(event);
  });
}

std::vector<Json> SimWorker::GoOn(int64_t attempt, const std::vector<std::string>& resume,
                                  std::vector<Json>& unusable) {
  for (const std::string& checkpoint : resume) {
    const auto read = [&]() -> absl::StatusOr<std::vector<Json>> {
      GS_ASSIGN_OR_RETURN(const std::string content, transfers_.Read(checkpoint));
      GS_ASSIGN_OR_RETURN(const Json json, ParseJson(content));
      GS_ASSIGN_OR_RETURN(std::vector<Json> epochs,
                          GoOnFrom(json.at("progress").get<std::map<std::string, std::string>>(), attempt,
                                   jobs_.at(attempt).running));
      witness_->WentOn(attempt, checkpoint, json.at("epoch"));
      return epochs;
    };
    absl::StatusOr<std::vector<Json>> epochs = read();
    if (epochs.ok()) return *std::move(epochs);
    if (absl::IsFailedPrecondition(epochs.status()))
      witness_->Object(fmt::format("attempt {} was given another job's checkpoint", attempt));
    unusable.push_back({{"type", "checkpoint_unusable"},
                        {"attempt", attempt},
                        {"checkpoint", checkpoint},
                        {"error", Message(epochs.status())}});
  }
  return {};
}

Json SimWorker::WriteCheckpoint(int64_t attempt, int64_t epoch) {
  const TrainerJob& job = jobs_.at(attempt);
  const Json content = {{"progress", Progress(job.running)}, {"epoch", epoch}, {"bundle", job.bundle}};
  const std::string text = content.dump();
  return {{"type", "checkpoint"},
          {"attempt", attempt},
          {"epoch", epoch},
          {"checkpoint", transfers_.Write(text)},
          {"bytes", text.size()}};
}

Json SimWorker::WriteModel(int64_t attempt) {
  const RunningJob& running = jobs_.at(attempt).running;
  const std::string text =
      Json({{"job", running.prefix}, {"path", running.path}, {"attempt", attempt}}).dump();
  return {{"type", "model"},
          {"attempt", attempt},
          {"epoch", running.shared_by.size()},
          {"artifact", transfers_.Write(text)},
          {"bytes", text.size()}};
}

void SimWorker::TrainEpoch(int64_t attempt, int64_t epoch) {
  if (random_->Chance(faults_.hang)) return;
  const bool crashes = random_->Chance(faults_.crash);
  events_->After(random_->Between(kShortestEpoch, kLongestEpoch),
                 [this, attempt, epoch, crashes, trainer = trainer_] {
                   if (trainer != trainer_ || !trainer_alive_ || !jobs_.contains(attempt)) return;
                   if (crashes) {
                     trainer_alive_ = false;
                     return Deliver(process_, [this, trainer] {
                       if (trainer == trainer_) EndTrainer({"killed by SIGSEGV", "simulated", {}});
                     });
                   }
                   RunningJob& job = jobs_.at(attempt).running;
                   TakeEpoch(job);
                   std::vector<Json> events = {EpochEvent(attempt, job, epoch, 1)};
                   if (epoch < job.job.at("training").at("epochs").get<int64_t>()) {
                     NextRate(job, events.front());
                     if (!random_->Chance(faults_.no_checkpoint))
                       events.push_back(WriteCheckpoint(attempt, epoch));
                     TrainEpoch(attempt, epoch + 1);
                   } else {
                     events.push_back(WriteModel(attempt));
                     events.push_back(FinishedEvent(attempt, job));
                     jobs_.erase(attempt);
                   }
                   // Last, as the worker may end over one of them.
                   for (Json& event : events) Emit(std::move(event));
                 });
}

void SimWorker::Emit(Json event) {
  if (event.contains("attempt") && witness_->IsStale(event.at("attempt"))) {
    if (event.contains("samples_per_second")) event["samples_per_second"] = kForgedSpeed;
    if (event.contains("environment")) event["environment"] = kForged;
  }
  const agent::TrainerEvent parsed = agent::ParseTrainerEvent(event.dump()).value();
  Deliver(process_, [this, parsed, trainer = trainer_] {
    if (trainer == trainer_) core_->OnTrainerEvent(LocalNow(), 0, parsed);
  });
}

}  // namespace gridsweep
