#include "coordinator/queue/job_queue.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace gridsweep {
namespace {

constexpr absl::Duration kTouchInterval = absl::Seconds(10);

// Most leases in one answer, whatever room a worker claims to have: bounds the answer's size, and what a
// confused worker can take from the others.
constexpr int64_t kMaxOffers = 256;

// How long a worker may wait before it calls again: short with few workers, for a lively view, and longer
// with many, so that idle calls cost the coordinator a bounded share of a core (each is worth about 0.1 ms).
constexpr absl::Duration kPacePerWorker = absl::Microseconds(2500);
constexpr absl::Duration kIdleCall = absl::Milliseconds(250);
constexpr absl::Duration kBusyCall = absl::Seconds(1);
constexpr absl::Duration kSlowestIdleCall = absl::Seconds(5);

AttemptFinished EndedAs(AttemptState outcome, std::string error) {
  AttemptFinished finished;
  finished.outcome = outcome;
  finished.error = std::move(error);
  return finished;
}

// Whether the store turned an event down for what it says, rather than for the state of the disk.
bool IsRefused(const absl::Status& status) {
  return absl::IsInvalidArgument(status) || absl::IsFailedPrecondition(status);
}

}  // namespace

JobQueue::JobQueue(Store* store, QueueOptions options) : store_(store), options_(std::move(options)) {}

absl::Status JobQueue::Load(StoreReader& reader, const Instant& now) {
  GS_ASSIGN_OR_RETURN(const std::vector<WorkerStatusRecord> records, reader.ListWorkers());
  GS_ASSIGN_OR_RETURN(const std::vector<OpenAttempt> attempts, store_->OpenAttempts());
  std::map<std::string, Worker> workers;
  std::unordered_map<WorkerId, std::string> names;
  for (const WorkerStatusRecord& record : records) {
    Worker& worker = workers[record.worker.name];
    worker.id = record.id;
    worker.session = record.worker.session;
    worker.slots = record.worker.slots;
    worker.left = record.left.has_value();
    if (const auto old = workers_.find(record.worker.name); old != workers_.end()) {
      worker.superseded = std::move(old->second.superseded);
    }
    names[record.id] = record.worker.name;
  }
  workers_ = std::move(workers);
  leases_.clear();
  for (const OpenAttempt& attempt : attempts) {
    Lease& lease = leases_[attempt.attempt];
    lease.job.attempt = attempt;
    lease.worker = names[attempt.worker];
    lease.expiry = now.monotonic + options_.lease;
    workers_[lease.worker].lost = false;
    workers_[lease.worker].lost_after = lease.expiry;
  }
  departures_ = {};
  costs_ = {};
  kinds_.clear();
  GS_ASSIGN_OR_RETURN(const std::vector<EpochCost> costs, store_->EpochCosts());
  for (const EpochCost& cost : costs) {
    OpenAttempt any;
    any.sweep = cost.sweep;
    any.work = cost.work;
    GS_ASSIGN_OR_RETURN(const std::string kind, KindOf(any));
    costs_.Add(kind, cost.device, cost.seconds, cost.epochs, cost.first);
  }
  last_tick_ = now.monotonic;
  return absl::OkStatus();
}

absl::StatusOr<SyncOutput> JobQueue::Sync(const SyncInput& input, const Instant& now) {
  if (input.worker.empty() || input.session.empty()) {
    return InvalidArgument("a worker needs a name and a session, got '{}' and '{}'", input.worker,
                           input.session);
  }
  SyncOutput output;
  output.lease = options_.lease;
  GS_ASSIGN_OR_RETURN(Worker* const worker, Register(input, now));
  if (worker == nullptr) {
    output.send_info = true;
    output.next_call = absl::ZeroDuration();
    return output;
  }
  output.send_info = !worker->known;
  const bool fresh = input.sync_seq >= worker->sync_seq;
  worker->sync_seq = std::max(worker->sync_seq, input.sync_seq);
  worker->last_seen = now.monotonic;
  worker->touched = true;
  worker->lost = false;
  worker->lost_after = now.monotonic + options_.lease;

  for (const HeldAttempt& held : input.held) {
    GS_ASSIGN_OR_RETURN(const auto lease, FindLease(held.attempt, held.token, input.worker, now, output));
    if (lease == leases_.end()) continue;
    lease->second.expiry = now.monotonic + options_.lease;
    lease->second.device = held.device;
    lease->second.epoch = held.epoch;
    lease->second.epoch_fraction = held.epoch_fraction;
  }
  for (const AttemptEvents& events : input.events) {
    GS_RETURN_IF_ERROR(ApplyEvents(events, input.worker, *worker, now, output));
  }
  // A late copy of an older request does not know what the worker has been given since.
  if (fresh) GS_RETURN_IF_ERROR(OfferLeases(input, *worker, now, output));

  const bool busy = std::any_of(leases_.begin(), leases_.end(),
                                [&](const auto& entry) { return entry.second.worker == input.worker; });
  if (input.leaving && !busy && !worker->left) {
    GS_RETURN_IF_ERROR(store_->MarkWorkerLeft(worker->id, now.wall));
    worker->left = worker->lost = true;
    departures_.left.push_back(input.worker);
  }
  output.next_call = NextCall(busy);
  return output;
}

absl::StatusOr<JobQueue::Worker*> JobQueue::Register(const SyncInput& input, const Instant& now) {
  const auto found = workers_.find(input.worker);
  if (found != workers_.end() && found->second.superseded.contains(input.session)) {
    return Aborted("a newer worker named '{}' has registered; give each worker its own --name", input.worker);
  }
  const bool same_session = found != workers_.end() && found->second.session == input.session;
  if (!input.info) return same_session ? &found->second : nullptr;
  // A late copy of an older request has nothing new to say.
  if (same_session && found->second.known && input.sync_seq < found->second.sync_seq) return &found->second;

  if (!same_session && found != workers_.end()) {
    // A new process under an old name: what the old one ran is lost, and it may still be alive.
    std::vector<OpenAttempt> orphans;
    for (const auto& [id, lease] : leases_) {
      if (lease.worker == input.worker) orphans.push_back(lease.job.attempt);
    }
    for (const OpenAttempt& orphan : orphans) {
      GS_RETURN_IF_ERROR(Lose(orphan, input.worker, "the worker was restarted", now));
    }
  }
  WorkerRecord record = input.info->record;
  record.name = input.worker;
  record.session = input.session;
  GS_ASSIGN_OR_RETURN(const WorkerId id, store_->UpsertWorker(record, now.wall));

  Worker& worker = workers_[input.worker];
  if (!same_session) {
    if (!worker.session.empty()) worker.superseded.insert(worker.session);
    worker.session = input.session;
    worker.sync_seq = 0;
    worker.refused.clear();
  }
  worker.id = id;
  worker.known = true;
  worker.datasets = input.info->datasets;
  worker.slots = record.slots;
  worker.left = false;
  return &worker;
}

absl::StatusOr<JobQueue::LeaseMap::iterator> JobQueue::FindLease(AttemptId attempt, const std::string& token,
                                                                 const std::string& worker,
                                                                 const Instant& now, SyncOutput& output) {
  const auto found = leases_.find(attempt);
  if (found != leases_.end() && found->second.job.attempt.token == token && found->second.worker == worker)
    return found;
  if (std::find(output.stop.begin(), output.stop.end(), attempt) != output.stop.end()) return leases_.end();

  const auto status = store_->GetAttempt(attempt, token);
  if (!status.ok() && !absl::IsNotFound(status.status()) && !absl::IsAborted(status.status()))
    return status.status();
  if (status.ok() && found == leases_.end() && status->state == AttemptState::kLost && status->is_newest &&
      status->job_state == JobState::kPending) {
    GS_RETURN_IF_ERROR(store_->ReviveAttempt(attempt, token, now.wall));
    Lease& lease = leases_[attempt];
    lease.job.attempt = status->attempt;
    lease.job.attempt.counters.losses = std::max(0, status->attempt.counters.losses - 1);
    lease.worker = worker;
    lease.expiry = now.monotonic + options_.lease;
    return leases_.find(attempt);
  }
  // Over, another's, or unknown. If it ended with a report, the worker may never have heard that it was
  // stored.
  if (status.ok()) output.stored.emplace_back(attempt, status->attempt.stored_seq);
  output.stop.push_back(attempt);
  return leases_.end();
}

absl::Status JobQueue::ApplyEvents(const AttemptEvents& events, const std::string& name, Worker& worker,
                                   const Instant& now, SyncOutput& output) {
  GS_ASSIGN_OR_RETURN(const auto found, FindLease(events.attempt, events.token, name, now, output));
  if (found == leases_.end()) return absl::OkStatus();
  OpenAttempt& attempt = found->second.job.attempt;
  found->second.expiry = now.monotonic + options_.lease;
  bool ended = false;
  for (const AttemptEvent& event : events.events) {
    if (event.seq <= attempt.stored_seq) continue;   // stored before; the answer was lost
    if (event.seq != attempt.stored_seq + 1) break;  // a gap: the worker sends from stored_seq + 1 again
    absl::StatusOr<bool> applied = ApplyEvent(attempt, event, worker, now);
    if (IsRefused(applied.status())) {
      // It would be refused each time it is sent again, so the attempt ends here instead.
      const std::string why =
          fmt::format("event {} cannot be stored: {}", event.seq, Message(applied.status()));
      GS_RETURN_IF_ERROR(End(attempt, event.seq, EndedAs(AttemptState::kFailed, why), now));
      applied = true;
    }
    GS_ASSIGN_OR_RETURN(ended, applied);
    if (const auto* epoch = std::get_if<EpochMetrics>(&event.what); epoch != nullptr && !ended) {
      GS_ASSIGN_OR_RETURN(const std::string kind, KindOf(attempt));
      costs_.Add(kind, found->second.device, epoch->seconds, 1.0 / static_cast<double>(epoch->shared_by),
                 epoch->epoch == 1);
    }
    attempt.stored_seq = event.seq;
    if (ended) break;
  }
  output.stored.emplace_back(events.attempt, attempt.stored_seq);
  if (ended) {
    output.stop.push_back(events.attempt);
    leases_.erase(found);
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> JobQueue::ApplyEvent(const OpenAttempt& attempt, const AttemptEvent& event,
                                          Worker& worker, const Instant& now) {
  if (const auto* epoch = std::get_if<EpochMetrics>(&event.what)) {
    GS_RETURN_IF_ERROR(store_->RecordEpoch(attempt.attempt, attempt.token, event.seq, *epoch));
    return false;
  }
  if (const auto* started = std::get_if<AttemptStarted>(&event.what)) {
    const absl::Status status = store_->RecordStarted(
        attempt.attempt, attempt.token, event.seq, started->dataset, started->device, started->environment);
    if (!absl::IsFailedPrecondition(status)) {
      GS_RETURN_IF_ERROR(status);
      return false;
    }
    // Its copy of the data set has other content than the sweep began with: this worker cannot serve the
    // sweep, and the job is not to blame.
    worker.refused.insert(started->dataset.name);
    GS_RETURN_IF_ERROR(End(attempt, event.seq, EndedAs(AttemptState::kPreempted, Message(status)), now));
    return true;
  }
  AttemptFinished finished = std::get<AttemptFinished>(event.what);
  if (const std::string& dataset = finished.unusable_dataset; !dataset.empty()) {
    // Its copy of the data set is missing or broken. What another worker can train must not fail here; where there is
    // no other, waiting would be for ever, so the attempt counts as failed and says why.
    const bool another = std::any_of(workers_.begin(), workers_.end(), [&](const auto& entry) {
      const Worker& other = entry.second;
      return &other != &worker && IsLive(other, now) && !other.refused.contains(dataset) &&
             std::find(other.datasets.begin(), other.datasets.end(), dataset) != other.datasets.end();
    });
    if (another) {
      worker.refused.insert(dataset);
    } else {
      finished.outcome = AttemptState::kFailed;
    }
  }
  GS_RETURN_IF_ERROR(End(attempt, event.seq, finished, now));
  return true;
}

absl::Status JobQueue::End(const OpenAttempt& attempt, uint64_t seq, const AttemptFinished& finished,
                           const Instant& now) {
  const RetryDecision decision =
      DecideRetry(options_.retry, attempt.counters, finished.outcome, finished.retryable, options_.jitter());
  const auto next = NextState(JobState::kRunning, decision.event);
  if (!next) return Internal("no transition from running for attempt {}", attempt.attempt.value);
  AttemptEnd end;
  end.state = finished.outcome;
  end.job_state = *next;
  end.counters = decision.counters;
  end.now = now.wall;
  end.not_before = now.wall + decision.delay;
  end.error = finished.error;
  end.stderr_tail = finished.stderr_tail;
  end.retry_alone = finished.retry_alone;
  end.evaluation = finished.evaluation;
  return store_->EndAttempt(attempt.attempt, attempt.token, seq, end);
}

absl::Status JobQueue::OfferLeases(const SyncInput& input, Worker& worker, const Instant& now,
                                   SyncOutput& output) {
  std::set<AttemptId> held;
  for (const HeldAttempt& attempt : input.held) held.insert(attempt.attempt);
  int64_t room = std::min(input.room, kMaxOffers);
  std::set<int64_t> offered;  // bundles
  std::vector<OpenAttempt> undeliverable;
  for (const auto& [id, lease] : leases_) {
    if (lease.worker != input.worker || held.contains(id)) continue;
    if (lease.job.job_json.empty()) {
      undeliverable.push_back(lease.job.attempt);
    } else {
      output.leases.push_back(lease.job);  // the answer that carried it was lost
      const int64_t bundle = lease.job.attempt.bundle;
      if (bundle == 0 || offered.insert(bundle).second) --room;
    }
  }
  // Leased just before a restart of ours, and the answer never left: the worker has not begun it.
  for (const OpenAttempt& attempt : undeliverable) {
    GS_RETURN_IF_ERROR(
        End(attempt, 0, EndedAs(AttemptState::kPreempted, "the lease was never delivered"), now));
    leases_.erase(attempt.attempt);
  }
  if (room <= 0 || !worker.known || input.leaving) return absl::OkStatus();

  ClaimRequest request{.worker = worker.id,
                       .limit = room,
                       .datasets = {},
                       .now = now.wall,
                       .share = options_.share,
                       .slots = LiveSlots(now),
                       .max_jobs = kMaxOffers,
                       .cost = [this](const WorkClass& work) {
                         const std::optional<double> seconds = costs_.EpochSeconds(work.kind);
                         const double epochs =
                             options_.share ? work.group_epochs : static_cast<double>(work.epochs);
                         return seconds ? *seconds * epochs : std::numeric_limits<double>::infinity();
                       }};
  for (const std::string& dataset : worker.datasets) {
    if (!worker.refused.contains(dataset)) request.datasets.push_back(dataset);
  }
  if (request.datasets.empty()) return absl::OkStatus();
  GS_ASSIGN_OR_RETURN(const std::vector<ClaimedJob> claimed, store_->ClaimJobs(request));
  for (const ClaimedJob& job : claimed) {
    leases_[job.attempt.attempt] = {.job = job,
                                    .worker = input.worker,
                                    .expiry = now.monotonic + options_.lease,
                                    .device = {},
                                    .epoch = 0,
                                    .epoch_fraction = 0};
    output.leases.push_back(job);
  }
  return absl::OkStatus();
}

bool JobQueue::IsLive(const Worker& worker, const Instant& now) const {
  return !worker.left && now.monotonic - worker.last_seen <= options_.lease;
}

int64_t JobQueue::LiveSlots(const Instant& now) const {
  int64_t slots = 0;
  for (const auto& [name, worker] : workers_) {
    if (IsLive(worker, now)) slots += std::max<int64_t>(1, worker.slots);
  }
  return slots;
}

absl::StatusOr<std::string> JobQueue::KindOf(const OpenAttempt& attempt) {
  const std::pair key(attempt.sweep, attempt.work);
  if (const auto found = kinds_.find(key); found != kinds_.end()) return found->second;
  GS_ASSIGN_OR_RETURN(const std::vector<WorkClass> classes, store_->WorkClasses());
  for (const WorkClass& work : classes) kinds_[{work.sweep, work.work}] = work.kind;
  const auto found = kinds_.find(key);
  return found == kinds_.end() ? std::string() : found->second;
}

absl::StatusOr<std::optional<std::vector<BusySlot>>> JobQueue::RunningWork(SweepId sweep) {
  std::map<int64_t, std::vector<const Lease*>> slots;  // by bundle; alone by attempt, negative
  for (const auto& [id, lease] : leases_) {
    slots[lease.job.attempt.bundle > 0 ? lease.job.attempt.bundle : -id.value].push_back(&lease);
  }
  std::vector<BusySlot> busy;
  for (const auto& [bundle, leases] : slots) {
    std::vector<RunningShare> shares;
    for (const Lease* lease : leases) {
      const OpenAttempt& attempt = lease->job.attempt;
      const double done =
          lease->epoch > 0 ? static_cast<double>(lease->epoch) - 1 + lease->epoch_fraction : 0;
      shares.push_back({attempt.added_epochs, static_cast<double>(attempt.epochs), done});
    }
    const Lease& any = *leases.front();
    GS_ASSIGN_OR_RETURN(const std::string kind, KindOf(any.job.attempt));
    const std::optional<double> seconds = costs_.EpochSeconds(kind, any.device);
    if (!seconds) return std::optional<std::vector<BusySlot>>();
    busy.push_back({*seconds * EpochsLeft(shares), any.job.attempt.sweep == sweep});
  }
  return std::optional(std::move(busy));
}

absl::StatusOr<std::optional<double>> JobQueue::SecondsLeft(SweepId sweep, const Instant& now) {
  const std::optional<double> unknown;
  GS_ASSIGN_OR_RETURN(const auto busy, RunningWork(sweep));
  if (!busy) return unknown;
  GS_ASSIGN_OR_RETURN(const std::vector<WorkClass> classes, store_->WorkClasses());
  GS_ASSIGN_OR_RETURN(const std::set<SweepId> active, store_->ActiveSweeps());
  std::vector<WaitingWork> waiting;
  for (const WorkClass& work : classes) {
    if (work.pending == 0 || work.sweep > sweep) continue;
    if (!active.contains(work.sweep)) {
      if (work.sweep == sweep) return unknown;  // paused: it waits for its user
      continue;
    }
    const std::optional<double> seconds = costs_.EpochSeconds(work.kind);
    if (!seconds) return unknown;
    waiting.push_back(ExpectedWork(work, *seconds, options_.share, work.sweep == sweep));
  }
  const int64_t slots = LiveSlots(now);
  if (slots == 0) return unknown;
  return std::optional(EstimateFinish(*busy, slots, std::move(waiting)));
}

absl::Duration JobQueue::NextCall(bool busy) const {
  const absl::Duration paced = kPacePerWorker * static_cast<double>(workers_.size());
  if (busy) return std::clamp(paced, std::min(kBusyCall, options_.lease / 4), options_.lease / 4);
  return std::clamp(paced, kIdleCall, kSlowestIdleCall);
}

absl::Status JobQueue::Tick(const Instant& now, int limit) {
  const bool stalled = now.monotonic - last_tick_ > options_.lease / 2;
  last_tick_ = now.monotonic;
  if (stalled) {
    for (auto& [id, lease] : leases_) lease.expiry = now.monotonic + options_.lease;
    for (auto& [name, worker] : workers_) worker.lost_after = now.monotonic + options_.lease;
    return absl::OkStatus();
  }
  FindLostWorkers(now);
  std::vector<std::pair<OpenAttempt, std::string>> expired;
  for (const auto& [id, lease] : leases_) {
    if (lease.expiry > now.monotonic) continue;
    expired.emplace_back(lease.job.attempt, lease.worker);
    if (static_cast<int>(expired.size()) >= limit) break;
  }
  const std::string why =
      fmt::format("the worker was not heard for {}", absl::FormatDuration(options_.lease));
  for (const auto& [attempt, worker] : expired) GS_RETURN_IF_ERROR(Lose(attempt, worker, why, now));
  if (now.monotonic - last_touch_ >= kTouchInterval) {
    std::vector<WorkerId> seen;
    for (auto& [name, worker] : workers_) {
      if (std::exchange(worker.touched, false)) seen.push_back(worker.id);
    }
    if (!seen.empty()) GS_RETURN_IF_ERROR(store_->TouchWorkers(seen, now.wall));
    last_touch_ = now.monotonic;
  }
  return absl::OkStatus();
}

void JobQueue::FindLostWorkers(const Instant& now) {
  for (auto& [name, worker] : workers_) {
    if (worker.lost || worker.lost_after > now.monotonic) continue;
    worker.lost = true;
    const auto held = std::count_if(leases_.begin(), leases_.end(),
                                    [&](const auto& entry) { return entry.second.worker == name; });
    departures_.lost.push_back({name, held});
  }
}

absl::Status JobQueue::Lose(const OpenAttempt& attempt, const std::string& worker, const std::string& why,
                            const Instant& now) {
  GS_RETURN_IF_ERROR(End(attempt, 0, EndedAs(AttemptState::kLost, why), now));
  departures_.attempts.push_back({attempt.attempt, attempt.job, worker, why});
  leases_.erase(attempt.attempt);
  return absl::OkStatus();
}

absl::Status JobQueue::Cancel(SweepId sweep, const Instant& now) {
  GS_ASSIGN_OR_RETURN(const std::vector<AttemptId> ended, store_->CancelSweep(sweep, now.wall));
  for (const AttemptId attempt : ended) leases_.erase(attempt);
  return absl::OkStatus();
}

std::vector<LiveLease> JobQueue::Leases() const {
  std::vector<LiveLease> live;
  for (const auto& [id, lease] : leases_) {
    live.push_back({id, lease.worker, lease.device, lease.epoch, lease.epoch_fraction});
  }
  return live;
}

std::vector<LiveWorker> JobQueue::Workers(const Instant& now) const {
  std::vector<LiveWorker> live;
  for (const auto& [name, worker] : workers_) {
    if (!IsLive(worker, now)) continue;
    LiveWorker entry{worker.id, name, {}, 0};
    for (const std::string& dataset : worker.datasets) {
      if (!worker.refused.contains(dataset)) entry.datasets.push_back(dataset);
    }
    for (const auto& [id, lease] : leases_) entry.running += lease.worker == name;
    live.push_back(std::move(entry));
  }
  return live;
}

}  // namespace gridsweep
