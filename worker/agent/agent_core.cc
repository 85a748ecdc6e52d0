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

std::string_view OutcomeName(Outcome outcome) {
  constexpr std::string_view kNames[] = {"succeeded", "diverged", "failed", "preempted"};
  return kNames[static_cast<int>(outcome)];
}

}  // namespace

AgentCore::AgentCore(AgentOptions options, WorkerInfo info, absl::Duration now)
    : options_(std::move(options)),
      info_(std::move(info)),
      trainers_(info_.devices.size()),
      uploads_(options_.reconnect),
      sync_(options_.reconnect, now) {
  for (size_t device = 0; device < trainers_.size(); ++device) {
    trainers_[device].limit = info_.devices[device].slots;
    StartTrainerOf(now, device);
  }
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
    if (!items.empty()) actions_.emplace_back(WriteLine{start.device(), RunCommand(std::move(items))});
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
  actions_.emplace_back(WriteLine{attempt->device, StopCommand(id)});
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
      actions_.emplace_back(FetchArtifact{fetching_});
    }
  }
  if (std::optional<UploadArtifact> upload = uploads_.Take(now)) actions_.emplace_back(*std::move(upload));
  if (useless_.empty()) return;
  const std::set<std::string> referenced = ReferencedFiles();
  for (auto file = useless_.begin(); file != useless_.end();) {
    if (referenced.contains(*file)) {
      ++file;
    } else {
      actions_.emplace_back(DropArtifact{*file});
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
  return ended_ ? absl::InfiniteDuration() : sync_.Next(now, HasNews());
}

std::optional<SyncRequest> AgentCore::TakeSync(absl::Duration now) {
  if (NextSync(now) > now) return std::nullopt;
  SyncRequest request{.worker = options_.worker, .session = options_.session, .sync_seq = sync_.Begin()};
  if (info_due_) request.info = info_;
  info_in_flight_ = std::exchange(info_due_, false);
  request.held = book_.Held(info_.devices);
  request.events = book_.TakeEvents(kEventBytesPerSync);
  request.room = known_room_ = Room();
  request.leaving = sync_.is_last();
  return request;
}

void AgentCore::OnSyncResponse(absl::Duration now, const SyncResponse& response) {
  if (ended_) return;
  if (!sync_.was_answered()) {
    Log(LogLevel::kInfo, "registered", {{"worker", options_.worker}, {"session", options_.session}});
  } else if (const std::optional<absl::Duration> since = sync_.away_since()) {
    Log(LogLevel::kInfo, "coordinator_back", {{"seconds", absl::ToDoubleSeconds(now - *since)}});
  }
  sync_.Answered(now, response.next_call, response.news);
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
  EndDrainIfDone(now);
}

void AgentCore::OnSyncError(absl::Duration now, const absl::Status& error) {
  info_due_ = info_due_ || info_in_flight_;
  if (ended_) return;
  if (absl::IsCancelled(error) && sync_.CutShort(now)) return;
  // A token may be revoked by mistake while jobs run; one that was never right will not become so.
  const bool turned_away = absl::IsUnauthenticated(error) || absl::IsPermissionDenied(error);
  if (absl::IsAborted(error) || absl::IsFailedPrecondition(error) || (turned_away && !sync_.was_answered())) {
    ended_ = Annotate(error, "the coordinator refused this worker");
    return;
  }
  if (!sync_.away_since()) {
    Log(LogLevel::kWarning, "coordinator_away",
        {{"code", CodeName(error.code())}, {"error", Message(error)}, {"running", book_.all().size()}});
  }
  sync_.Failed(now, options_.jitter());
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
      actions_.emplace_back(WriteLine{attempt.device, StopCommand(id)});
    if (attempt.phase == AttemptPhase::kRunning || attempt.phase == AttemptPhase::kFetching)
      HandBack(*book_.Find(id), "the worker is stopping");
  }
  starts_.clear();
  sync_.Drain(now);
}

void AgentCore::EndDrainIfDone(absl::Duration now) {
  if (!drain_deadline_ || ended_) return;
  const bool handed_back = sync_.last_was_answered() && !book_.HasUnacknowledged() && !uploads_.HasModels();
  if (!handed_back && sync_.failures_since_drain() < kDrainFailures && now < *drain_deadline_) return;
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
