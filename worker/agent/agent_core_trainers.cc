// What becomes of the trainers, and of their attempts when they say something or end.
#include <algorithm>
#include <utility>

#include "common/base/log.h"
#include "worker/agent/agent_core.h"
#include "worker/agent/log_sparsely.h"

namespace gridsweep::agent {
namespace {

// Enough of a stderr for a log line; the whole tail is stored with the attempt.
std::string LastBytes(const std::string& text) {
  constexpr size_t kBytes = 400;
  return text.size() <= kBytes ? text : text.substr(text.size() - kBytes);
}

}  // namespace

void AgentCore::StartTrainerOf(absl::Duration now, size_t device) {
  Trainer& trainer = trainers_[device];
  trainer.phase = TrainerPhase::kStarting;
  trainer.since = now;
  trainer.hung = 0;
  trainer.killed_because.clear();
  actions_.emplace_back(StartTrainer{device});
}

void AgentCore::Kill(size_t device) {
  trainers_[device].phase = TrainerPhase::kDying;
  known_room_ = std::min(known_room_, Room());
  actions_.emplace_back(KillTrainer{device});
}

void AgentCore::OnHello(size_t device, const TrainerHello& hello) {
  Trainer& trainer = trainers_[device];
  if (trainer.phase != TrainerPhase::kStarting) return;
  if (hello.protocol != kTrainerProtocol) {
    Log(LogLevel::kError, "trainer_refused",
        {{"device", info_.devices[device].name},
         {"protocol", hello.protocol},
         {"expected", kTrainerProtocol}});
    trainer.killed_because =
        fmt::format("it speaks protocol {}, expected {}", hello.protocol, kTrainerProtocol);
    Kill(device);
    return;
  }
  trainer.phase = TrainerPhase::kReady;
  WorkerInfo info = info_;
  info.libtorch_version = hello.libtorch;
  if (!hello.device_model.empty()) info.devices[device].model = hello.device_model;
  if (hello.memory_bytes > 0) info.devices[device].memory_bytes = hello.memory_bytes;
  if (!(info == info_)) info_due_ = true;
  info_ = std::move(info);
  Log(LogLevel::kInfo, "trainer_ready",
      {{"device", info_.devices[device].name}, {"libtorch", hello.libtorch}, {"blas", hello.blas}});
}

void AgentCore::OnTrainerEvent(absl::Duration now, size_t device, const TrainerEvent& event) {
  if (ended_) return;
  if (const auto* hello = std::get_if<TrainerHello>(&event.body)) return OnHello(device, *hello);
  if (const auto* complaint = std::get_if<TrainerComplaint>(&event.body)) {
    const int64_t times = ++trainers_[device].complaints;
    if (!IsLogged(times)) return;
    Log(LogLevel::kWarning, "trainer_complaint",
        {{"device", info_.devices[device].name}, {"times", times}, {"error", complaint->error}});
    return;
  }
  Attempt* attempt = book_.Find(event.attempt);
  if (attempt != nullptr && attempt->device == device) OnAttemptEvent(now, *attempt, event);
}

void AgentCore::OnAttemptEvent(absl::Duration now, Attempt& attempt, const TrainerEvent& event) {
  book_.NoteSign(attempt, now);
  const bool is_end = std::holds_alternative<AttemptFinished>(event.body) ||
                      std::holds_alternative<TrainerStopped>(event.body);
  if (attempt.phase == AttemptPhase::kStopping && is_end) return book_.Erase(attempt.id);
  if (attempt.phase != AttemptPhase::kRunning) return;
  if (const auto* file = std::get_if<TrainerFile>(&event.body)) {
    OnFile(attempt, *file);
  } else if (const auto* unusable = std::get_if<CheckpointUnusable>(&event.body)) {
    Log(LogLevel::kWarning, "checkpoint_unusable",
        {{"attempt", attempt.id}, {"checkpoint", unusable->sha256}, {"error", unusable->error}});
  } else if (const auto* progress = std::get_if<TrainerProgress>(&event.body)) {
    attempt.epoch = progress->epoch;
    attempt.fraction = std::clamp(progress->fraction, 0.0, 1.0);
  } else if (const auto* epoch = std::get_if<EpochMetrics>(&event.body)) {
    attempt.epoch = epoch->epoch;
    attempt.fraction = 1;
    book_.Record(attempt, *epoch);
  } else if (const auto* started = std::get_if<AttemptStarted>(&event.body)) {
    book_.Record(attempt, *started);
  } else if (const auto* finished = std::get_if<AttemptFinished>(&event.body)) {
    OnEndedWell(attempt.device);
    if (finished->data_unusable) return HandBackForData(attempt, *finished);
    Finish(attempt, *finished);
  } else if (const auto& stopped = std::get<TrainerStopped>(event.body); stopped.error.empty()) {
    HandBack(attempt, "the trainer gave the job up", stopped.retry_alone);
  } else {
    HandBack(attempt, fmt::format("the trainer gave the job up: {}", stopped.error), stopped.retry_alone);
  }
}

void AgentCore::OnEndedWell(size_t device) {
  Trainer& trainer = trainers_[device];
  trainer.deaths = 0;
  trainer.limit = std::min(2 * trainer.limit, info_.devices[device].slots);
}

void AgentCore::OnTrainerExit(absl::Duration now, size_t device, const TrainerExit& exit) {
  if (ended_) return;
  Trainer& trainer = trainers_[device];
  const std::vector<int64_t> running = book_.InPhase(device, AttemptPhase::kRunning);
  const bool alone = book_.OnDevice(device) == 1;
  // The slot that hung, by one of its attempts, before any of them is over.
  const Attempt* const hung = trainer.hung != 0 ? book_.Find(trainer.hung) : nullptr;
  const int64_t hung_bundle = hung != nullptr && book_.InSlotOf(*hung) > 1 ? hung->bundle : 0;
  for (const int64_t id : book_.InPhase(device, AttemptPhase::kStopping)) book_.Erase(id);
  for (const int64_t id : book_.InPhase(device, AttemptPhase::kFetching))
    HandBack(*book_.Find(id), "its trainer died before it began");
  std::erase_if(starts_, [device](const WaitingStart& start) { return start.device() == device; });
  if (!drain_deadline_) {
    Log(LogLevel::kWarning, "trainer_died",
        {{"device", info_.devices[device].name},
         {"exit", exit.description},
         {"jobs", running.size()},
         LogField::IfAny("reason", trainer.killed_because),
         LogField::IfAny("stderr", LastBytes(exit.stderr_tail))});
  }
  if (trainer.phase == TrainerPhase::kStarting && exit.status == kTrainerUsage) {
    ended_ = FailedPrecondition("the trainer of {} refuses to start: {}", info_.devices[device].name,
                                exit.stderr_tail.empty() ? exit.description : LastBytes(exit.stderr_tail));
    return;
  }
  for (const int64_t id : running) {
    Attempt& attempt = *book_.Find(id);
    const std::string silence =
        fmt::format("hung: no event for {} s", absl::ToInt64Seconds(options_.hang_timeout));
    if (hung_bundle != 0 && attempt.bundle == hung_bundle) {
      HandBack(attempt, fmt::format("its bundle {}", silence), /*retry_alone=*/true);
    } else if (trainer.hung == id) {
      Finish(attempt, {.outcome = Outcome::kFailed, .error = silence, .stderr_tail = exit.stderr_tail});
    } else if (trainer.hung != 0) {
      HandBack(attempt, "its trainer was killed because another job hung");
    } else if (!trainer.killed_because.empty()) {
      HandBack(attempt, fmt::format("its trainer was killed: {}", trainer.killed_because));
    } else if (alone) {
      const std::string error = fmt::format("the trainer died: {}", exit.description);
      Finish(attempt, {.outcome = Outcome::kFailed, .error = error, .stderr_tail = exit.stderr_tail});
      trainer.limit = info_.devices[device].slots;
    } else {
      HandBack(
          attempt,
          fmt::format("the trainer died ({}) while it trained {} jobs", exit.description, running.size()),
          /*retry_alone=*/true);
      trainer.limit = 1;
    }
  }
  trainer.phase = TrainerPhase::kDown;
  trainer.since = now + BackoffDelay(options_.restart, trainer.deaths++, options_.jitter());
  known_room_ = std::min(known_room_, Room());
}

}  // namespace gridsweep::agent
