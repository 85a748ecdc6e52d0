#include "tests/simulation/sim_worker.h"

#include <utility>

#include "gridsweep/v1/worker_service.pb.h"
#include "worker/agent/convert.h"

namespace gridsweep {
namespace {

constexpr absl::Duration kTrainerStart = absl::Milliseconds(800);
constexpr absl::Duration kShortestEpoch = absl::Milliseconds(300), kLongestEpoch = absl::Seconds(3);
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
                     SimNetwork* network)
    : name_(std::move(name)),
      slots_(slots),
      rate_(rate),
      events_(events),
      random_(random),
      network_(network) {}

void SimWorker::Start() {
  if (core_ != nullptr) Kill();
  agent::AgentOptions options;
  options.worker = name_;
  options.session = random_->Hex32();
  options.hang_timeout = absl::Seconds(20);
  options.jitter = [random = random_] { return random->Unit(); };
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
  if (!command.contains("bundle")) return StartJob(command.at("attempt"), command.at("job"));
  for (const Json& item : command.at("bundle")) StartJob(item.at("attempt"), item.at("job"));
}

void SimWorker::StartJob(int64_t attempt, const Json& job) {
  jobs_[attempt] = MakeRunningJob(job);
  events_->After(absl::Milliseconds(50), [this, attempt, trainer = trainer_] {
    if (trainer != trainer_ || !trainer_alive_ || !jobs_.contains(attempt)) return;
    Emit(StartedEvent(attempt, jobs_[attempt], "cpu", "simulated"));
    TrainEpoch(attempt, 1);
  });
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
                   RunningJob& job = jobs_.at(attempt);
                   TakeEpoch(job);
                   const Json event = EpochEvent(attempt, job, epoch, 1);
                   if (epoch < job.job.at("training").at("epochs").get<int64_t>()) {
                     if (job.scheduler != nullptr) {
                       EpochMetrics metrics;
                       metrics.epoch = epoch;
                       metrics.val_loss = event.at("val_loss").get<double>();
                       metrics.test_loss = event.at("test_loss").get<double>();
                       metrics.train_loss = event.at("train_loss").get<double>();
                       job.lr = job.scheduler->Next(metrics);
                     }
                     TrainEpoch(attempt, epoch + 1);
                     return Emit(event);
                   }
                   const Json finished = FinishedEvent(attempt, job);
                   jobs_.erase(attempt);
                   Emit(event);
                   Emit(finished);
                 });
}

void SimWorker::Emit(const Json& event) {
  const agent::TrainerEvent parsed = agent::ParseTrainerEvent(event.dump()).value();
  Deliver(process_, [this, parsed, trainer = trainer_] {
    if (trainer == trainer_) core_->OnTrainerEvent(LocalNow(), 0, parsed);
  });
}

}  // namespace gridsweep
