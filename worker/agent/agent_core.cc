#include "worker/agent/agent_core.h"

#include <algorithm>
#include <map>
#include <utility>

#include "common/base/log.h"

namespace gridsweep::agent {
namespace {

// Well below gRPC's limit of 4 MiB a message.
constexpr size_t kEventBytesPerSync = size_t{2} << 20;
constexpr int kDrainFailures = 3;
// Of an attempt, in the folder.
constexpr size_t kKeptCheckpoints = 2;
// Whatever the coordinator asks for: neither a hot loop nor silence.
constexpr absl::Duration kMinNextCall = absl::Milliseconds(10);
constexpr absl::Duration kMaxNextCall = absl::Minutes(1);

std::string_view OutcomeName(Outcome outcome) {
  constexpr std::string_view kNames[] = {"succeeded", "diverged", "failed", "preempted"};
  return kNames[static_cast<int>(outcome)];
}

// Enough of a stderr for a log line; the whole tail is stored with the attempt.
std::string LastBytes(const std::string& text) {
  constexpr size_t kBytes = 400;
  return text.size() <= kBytes ? text : text.substr(text.size() - kBytes);
}

}  // namespace

AgentCore::AgentCore(AgentOptions options, WorkerInfo info, absl::Duration now)
    : options_(std::move(options)),
      info_(std::move(info)),
      trainers_(info_.devices.size()),
      uploads_(options_.reconnect),
      next_sync_(now) {
  for (size_t device = 0; device < trainers_.size(); ++device) {
    trainers_[device].limit = info_.devices[device].slots;
    StartTrainerOf(now, device);
  }
}

// --- trainers

void AgentCore::StartTrainerOf(absl::Duration now, size_t device) {
  Trainer& trainer = trainers_[device];
  trainer.phase = TrainerPhase::kStarting;
  trainer.since = now;
  trainer.hung = 0;
  trainer.killed_because.clear();
  actions_.push_back(StartTrainer{device});
}

void AgentCore::Kill(size_t device) {
  trainers_[device].phase = TrainerPhase::kDying;
  known_room_ = std::min(known_room_, Room());
  actions_.push_back(KillTrainer{device});
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
    Log(LogLevel::kWarning, "trainer_complaint",
        {{"device", info_.devices[device].name}, {"error", complaint->error}});
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

// --- attempts

int AgentCore::Room() const {
  if (drain_deadline_ || ended_) return 0;
  int room = 0;
  for (size_t device = 0; device < trainers_.size(); ++device) {
    if (trainers_[device].phase != TrainerPhase::kReady) continue;
    room += std::max(0, trainers_[device].limit - book_.Occupied(device));
  }
  return room;
}

std::optional<size_t> AgentCore::FreeDevice() const {
  std::optional<size_t> best;
  int most = 0;
  if (drain_deadline_ || ended_) return best;
  for (size_t device = 0; device < trainers_.size(); ++device) {
    const int free = trainers_[device].limit - book_.Occupied(device);
    if (trainers_[device].phase != TrainerPhase::kReady || free <= most) continue;
    best = device;
    most = free;
  }
  return best;
}

void AgentCore::AcceptLeases(absl::Duration now, const std::vector<Lease>& leases) {
  std::vector<std::vector<Lease>> together;  // in the order of the first of each
  std::map<int64_t, size_t> index;           // by bundle
  for (const Lease& lease : leases) {
    if (book_.Find(lease.attempt) != nullptr) continue;
    const auto [found, is_new] = index.emplace(lease.bundle, together.size());
    if (lease.bundle == 0 || is_new) {
      found->second = together.size();
      together.emplace_back();
    }
    together[found->second].push_back(lease);
  }
  for (const std::vector<Lease>& bundle : together) StartTogether(now, bundle);
}

void AgentCore::StartTogether(absl::Duration now, const std::vector<Lease>& leases) {
  const std::optional<size_t> device = FreeDevice();
  std::vector<RunItem> items;
  for (const Lease& lease : leases) {
    if (book_.Find(lease.attempt) != nullptr) continue;  // named twice in one answer
    Attempt& attempt = book_.Add(lease, device.value_or(0), now);
    if (!device) {
      HandBack(attempt, drain_deadline_ ? "the worker is stopping" : "the worker has no free slot");
      continue;
    }
    absl::StatusOr<RunItem> item = ParseRunItem(lease.attempt, lease.job_json);
    if (!item.ok()) {
      Finish(attempt, {.outcome = Outcome::kFailed,
                       .error = fmt::format("the job is malformed: {}", Message(item.status())),
                       .retryable = false});
      continue;
    }
    if (const auto name = GetField<std::string>(item->job, "dataset"); name.ok()) attempt.dataset = *name;
    Log(LogLevel::kInfo, "lease_started",
        {{"attempt", lease.attempt},
         {"job", lease.job},
         {"sweep", lease.sweep},
         {"bundle", lease.bundle},
         {"device", info_.devices[*device].name}});
    if (options_.checkpoints) item->resume = lease.checkpoints;
    attempt.phase = AttemptPhase::kFetching;
    items.push_back(*std::move(item));
  }
  if (items.empty()) return;
  starts_.emplace_back(*device, std::move(items));
  BeginStarts(now);
}

void AgentCore::BeginStarts(absl::Duration now) {
  for (WaitingStart& start : starts_) {
    if (start.Wanted()) continue;
    std::vector<RunItem> items = start.Take();
    for (const RunItem& item : items) {
      Attempt& attempt = *book_.Find(item.attempt);
      attempt.phase = AttemptPhase::kRunning;
      attempt.last_sign = now;
      // What it goes on from is kept for as long as its own last ones.
      for (auto file = item.resume.rbegin(); file != item.resume.rend(); ++file)
        attempt.checkpoints.push_back(*file);
    }
    if (!items.empty()) actions_.push_back(WriteLine{start.device(), RunCommand(std::move(items))});
  }
  std::erase_if(starts_, [](const WaitingStart& start) { return start.items().empty(); });
}

void AgentCore::Finish(Attempt& attempt, AttemptFinished finished) {
  Log(finished.outcome == Outcome::kFailed ? LogLevel::kWarning : LogLevel::kInfo, "attempt_finished",
      {{"attempt", attempt.id},
       {"job", attempt.job},
       {"outcome", OutcomeName(finished.outcome)},
       LogField::IfAny("error", finished.error)});
  uploads_.ForgetCheckpoints(attempt.id);
  // Without a result they may still serve the next attempt, if that comes here.
  if (finished.outcome == Outcome::kSucceeded || finished.outcome == Outcome::kDiverged)
    useless_.insert(attempt.checkpoints.begin(), attempt.checkpoints.end());
  attempt.checkpoints.clear();
  book_.Record(attempt, std::move(finished));
}

void AgentCore::HandBack(Attempt& attempt, std::string reason, bool retry_alone) {
  Finish(attempt, {.outcome = Outcome::kPreempted, .error = std::move(reason), .retry_alone = retry_alone});
}

void AgentCore::HandBackForData(Attempt& attempt, AttemptFinished finished) {
  Log(LogLevel::kError, "dataset_unusable", {{"dataset", attempt.dataset}, {"error", finished.error}});
  finished.outcome = Outcome::kPreempted;
  finished.unusable_dataset = attempt.dataset;
  Finish(attempt, std::move(finished));
}

void AgentCore::StopAttempt(absl::Duration now, int64_t id) {
  Attempt* attempt = book_.Find(id);
  if (attempt == nullptr || attempt->phase == AttemptPhase::kStopping) return;
  Log(LogLevel::kInfo, "attempt_stopped", {{"attempt", id}, {"job", attempt->job}});
  uploads_.ForgetCheckpoints(id);
  if (attempt->phase == AttemptPhase::kFetching) {
    for (WaitingStart& start : starts_) start.Forget(id);
    book_.Erase(id);
    return BeginStarts(now);
  }
  if (attempt->model) useless_.insert(attempt->model->sha256);
  if (attempt->phase == AttemptPhase::kFinished) return book_.Erase(id);
  attempt->phase = AttemptPhase::kStopping;
  attempt->stop_since = now;
  attempt->events.clear();
  actions_.push_back(WriteLine{attempt->device, StopCommand(id)});
}

// --- files

void AgentCore::OnFile(Attempt& attempt, const TrainerFile& file) {
  if (!options_.checkpoints) return;
  if (file.is_model) {
    attempt.model = file;
    return;
  }
  attempt.checkpoints.push_back(file.sha256);
  while (attempt.checkpoints.size() > kKeptCheckpoints) {
    useless_.insert(attempt.checkpoints.front());
    attempt.checkpoints.pop_front();
  }
  uploads_.Add(file, attempt.id, attempt.token);
}

void AgentCore::OnUploaded(absl::Duration now, const absl::Status& status) {
  if (!status.ok())
    Log(LogLevel::kWarning, "upload_failed", {{"code", CodeName(status.code())}, {"error", Message(status)}});
  uploads_.Done(now, status, /*retry=*/!drain_deadline_, options_.jitter());
  EndDrainIfDone(now);
}

void AgentCore::OnArtifact(absl::Duration now, const std::string& sha256, const absl::Status& status) {
  if (!status.ok()) {
    Log(LogLevel::kWarning, "checkpoint_not_fetched",
        {{"checkpoint", sha256}, {"code", CodeName(status.code())}, {"error", Message(status)}});
  }
  if (fetching_ == sha256) fetching_.clear();
  if (ended_) return;
  for (WaitingStart& start : starts_) start.Note(sha256, status.ok());
  BeginStarts(now);
}

void AgentCore::PlanTransfers(absl::Duration now) {
  for (const WaitingStart& start : starts_) {
    if (!fetching_.empty()) break;
    if (const std::optional<std::string> wanted = start.Wanted()) {
      fetching_ = *wanted;
      actions_.push_back(FetchArtifact{fetching_});
    }
  }
  if (std::optional<UploadArtifact> upload = uploads_.Take(now)) actions_.push_back(*std::move(upload));
  if (useless_.empty()) return;
  const std::set<std::string> referenced = ReferencedFiles();
  for (auto file = useless_.begin(); file != useless_.end();) {
    if (referenced.contains(*file)) {
      ++file;
    } else {
      actions_.push_back(DropArtifact{*file});
      file = useless_.erase(file);
    }
  }
}

std::set<std::string> AgentCore::ReferencedFiles() const {
  std::set<std::string> files;
  uploads_.AddReferenced(files);
  if (!fetching_.empty()) files.insert(fetching_);
  for (const WaitingStart& start : starts_) {
    for (const RunItem& item : start.items()) files.insert(item.resume.begin(), item.resume.end());
  }
  for (const auto& [id, attempt] : book_.all()) {
    files.insert(attempt.checkpoints.begin(), attempt.checkpoints.end());
    if (attempt.model) files.insert(attempt.model->sha256);
  }
  return files;
}

// --- Sync

bool AgentCore::HasNews() const {
  return book_.HasUnsent() || info_due_ || Room() > known_room_;
}

absl::Duration AgentCore::NextSync(absl::Duration now) const {
  if (in_flight_ || ended_) return absl::InfiniteDuration();
  if (failures_ > 0) return next_sync_;
  if (drain_deadline_ && !final_answered_) return now;
  if (!HasNews()) return next_sync_;
  return drain_deadline_ ? now : std::min(next_sync_, std::max(now, news_from_));
}

std::optional<SyncRequest> AgentCore::TakeSync(absl::Duration now) {
  if (NextSync(now) > now) return std::nullopt;
  in_flight_ = true;
  final_in_flight_ = drain_deadline_.has_value();
  SyncRequest request{.worker = options_.worker, .session = options_.session, .sync_seq = ++sync_seq_};
  if (info_due_) request.info = info_;
  info_in_flight_ = std::exchange(info_due_, false);
  request.held = book_.Held(info_.devices);
  request.events = book_.TakeEvents(kEventBytesPerSync);
  request.room = known_room_ = Room();
  request.leaving = final_in_flight_;
  return request;
}

void AgentCore::OnSyncResponse(absl::Duration now, const SyncResponse& response) {
  in_flight_ = false;
  if (ended_) return;
  if (!registered_) {
    registered_ = true;
    Log(LogLevel::kInfo, "registered", {{"worker", options_.worker}, {"session", options_.session}});
  } else if (failures_ > 0) {
    Log(LogLevel::kInfo, "coordinator_back", {{"seconds", absl::ToDoubleSeconds(now - away_since_)}});
  }
  failures_ = 0;
  info_due_ = info_due_ || response.send_info;
  for (const StoredSeq& stored : response.stored) {
    const std::optional<Attempt> over = book_.Acknowledge(stored);
    if (over && over->model) {
      uploads_.Add(*over->model, over->id, over->token);
      useless_.insert(over->model->sha256);  // once that is done
    }
  }
  for (const int64_t attempt : response.stop) StopAttempt(now, attempt);
  AcceptLeases(now, response.leases);
  next_sync_ = now + std::clamp(response.next_call, kMinNextCall, kMaxNextCall);
  news_from_ = now + std::clamp(response.news, absl::ZeroDuration(), kMaxNextCall);
  if (final_in_flight_) final_answered_ = true;
  EndDrainIfDone(now);
}

void AgentCore::OnSyncError(absl::Duration now, const absl::Status& error) {
  in_flight_ = false;
  info_due_ = info_due_ || info_in_flight_;
  if (ended_) return;
  if (absl::IsCancelled(error) && std::exchange(cancel_expected_, false)) {
    next_sync_ = now;
    return;
  }
  // A token may be revoked by mistake while jobs run; one that was never right will not become so.
  const bool turned_away = absl::IsUnauthenticated(error) || absl::IsPermissionDenied(error);
  if (absl::IsAborted(error) || absl::IsFailedPrecondition(error) || (turned_away && !registered_)) {
    ended_ = Annotate(error, "the coordinator refused this worker");
    return;
  }
  if (failures_ == 0) {
    away_since_ = now;
    Log(LogLevel::kWarning, "coordinator_away",
        {{"code", CodeName(error.code())}, {"error", Message(error)}, {"running", book_.all().size()}});
  }
  ++failures_;
  const int counted = drain_deadline_ ? drain_failures_++ : failures_ - 1;
  next_sync_ = now + BackoffDelay(options_.reconnect, counted, options_.jitter());
  EndDrainIfDone(now);
}

void AgentCore::OnDatasets(std::vector<std::string> datasets) {
  if (datasets == info_.datasets) return;
  info_.datasets = std::move(datasets);
  info_due_ = true;
}

// --- time

void AgentCore::Drain(absl::Duration now) {
  if (drain_deadline_ || ended_) return;
  drain_deadline_ = now + options_.drain_timeout;
  for (const auto& [id, attempt] : book_.all()) {
    if (attempt.phase == AttemptPhase::kRunning)
      actions_.push_back(WriteLine{attempt.device, StopCommand(id)});
    if (attempt.phase == AttemptPhase::kRunning || attempt.phase == AttemptPhase::kFetching)
      HandBack(*book_.Find(id), "the worker is stopping");
  }
  starts_.clear();
  cancel_expected_ = in_flight_;
  // The deadline is near: do not sit out a back-off of an earlier outage.
  next_sync_ = now;
}

void AgentCore::EndDrainIfDone(absl::Duration now) {
  if (!drain_deadline_ || ended_) return;
  const bool handed_back = final_answered_ && !book_.HasUnacknowledged() && !uploads_.HasModels();
  if (!handed_back && drain_failures_ < kDrainFailures && now < *drain_deadline_) return;
  Log(handed_back ? LogLevel::kInfo : LogLevel::kWarning, "drained",
      {{"handed_back", handed_back ? "all" : "not all"}});
  ended_ = absl::OkStatus();
}

void AgentCore::Pardon(absl::Duration now) {
  book_.RestartTimers(now);
  for (Trainer& trainer : trainers_) {
    if (trainer.phase == TrainerPhase::kStarting) trainer.since = now;
  }
}

void AgentCore::Tick(absl::Duration now) {
  if (ended_) return;
  for (size_t device = 0; device < trainers_.size(); ++device) {
    Trainer& trainer = trainers_[device];
    if (trainer.phase == TrainerPhase::kDown && !drain_deadline_ && now >= trainer.since) {
      StartTrainerOf(now, device);
    } else if (trainer.phase == TrainerPhase::kStarting && now >= trainer.since + options_.hang_timeout) {
      trainer.killed_because = "it did not say hello";
      Kill(device);
    }
  }
  for (const auto& [id, attempt] : book_.all()) {
    Trainer& trainer = trainers_[attempt.device];
    if (trainer.phase != TrainerPhase::kReady) continue;
    if (attempt.phase == AttemptPhase::kRunning && now >= attempt.last_sign + options_.hang_timeout) {
      trainer.hung = id;
      Kill(attempt.device);
    } else if (attempt.phase == AttemptPhase::kStopping &&
               now >= attempt.stop_since + options_.stop_timeout) {
      trainer.killed_because = "another job did not stop when told to";
      Kill(attempt.device);
    }
  }
  PlanTransfers(now);
  EndDrainIfDone(now);
}

absl::Duration AgentCore::NextWakeup(absl::Duration now) const {
  if (ended_) return absl::InfiniteDuration();
  absl::Duration next = std::min(NextSync(now), uploads_.NextDue());
  for (const Trainer& trainer : trainers_) {
    if (trainer.phase == TrainerPhase::kDown && !drain_deadline_) next = std::min(next, trainer.since);
    if (trainer.phase == TrainerPhase::kStarting)
      next = std::min(next, trainer.since + options_.hang_timeout);
  }
  for (const auto& [id, attempt] : book_.all()) {
    if (trainers_[attempt.device].phase != TrainerPhase::kReady) continue;
    if (attempt.phase == AttemptPhase::kRunning)
      next = std::min(next, attempt.last_sign + options_.hang_timeout);
    if (attempt.phase == AttemptPhase::kStopping)
      next = std::min(next, attempt.stop_since + options_.stop_timeout);
  }
  if (drain_deadline_) next = std::min(next, *drain_deadline_);
  return next;
}

std::vector<Action> AgentCore::TakeActions() {
  return std::exchange(actions_, {});
}

}  // namespace gridsweep::agent
