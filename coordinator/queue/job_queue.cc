#include "coordinator/queue/job_queue.h"

#include <algorithm>
#include <set>
#include <unordered_map>
#include <utility>

namespace gridsweep {
namespace {

constexpr absl::Duration kTouchInterval = absl::Seconds(10);

// Most leases in one answer, whatever room a worker claims to have: bounds the answer's size, and what a
// confused worker can take from the others.
constexpr int64_t kMaxOffers = 256;

// Leases expire this much later than they could.
constexpr absl::Duration kScanInterval = absl::Seconds(1);

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

JobQueue::JobQueue(Store* store, QueueOptions options)
    : store_(store),
      options_(std::move(options)),
      workers_(options_.lease),
      forecast_(store, options_.share) {}

absl::Status JobQueue::Load(StoreReader& reader, const Instant& now) {
  GS_ASSIGN_OR_RETURN(const std::vector<WorkerStatusRecord> records, reader.ListWorkers());
  GS_ASSIGN_OR_RETURN(const std::vector<OpenAttempt> attempts, store_->OpenAttempts());
  GS_ASSIGN_OR_RETURN(const std::vector<SupersededSession> superseded, store_->SupersededSessions());
  workers_.Load(records, superseded);
  std::unordered_map<WorkerId, std::string> names;
  for (const WorkerStatusRecord& record : records) names[record.id] = record.worker.name;
  leases_.Clear();
  for (const OpenAttempt& attempt : attempts) {
    Lease lease;
    lease.job.attempt = attempt;
    lease.worker = names[attempt.worker];
    lease.expiry = now.monotonic + options_.lease;
    workers_.Expect(lease.worker, now);
    leases_.Add(attempt.attempt, std::move(lease));
  }
  departures_ = {};
  last_tick_ = now.monotonic;
  return forecast_.Load();
}

absl::StatusOr<SyncOutput> JobQueue::Sync(const SyncInput& input, const Instant& now) {
  if (input.worker.empty() || input.session.empty()) {
    return InvalidArgument("a worker needs a name and a session, got '{}' and '{}'", input.worker,
                           input.session);
  }
  SyncOutput output;
  output.lease = options_.lease;
  GS_ASSIGN_OR_RETURN(KnownWorker* const worker, Register(input, now));
  if (worker == nullptr) {
    output.send_info = true;
    output.next_call = absl::ZeroDuration();
    return output;
  }
  output.send_info = !worker->known;
  const bool fresh = input.sync_seq >= worker->sync_seq;
  worker->sync_seq = std::max(worker->sync_seq, input.sync_seq);
  workers_.Heard(*worker, now);

  for (const HeldAttempt& held : input.held) {
    GS_ASSIGN_OR_RETURN(Lease* const lease, FindLease(held.attempt, held.token, input.worker, now, output));
    if (lease == nullptr) continue;
    lease->expiry = now.monotonic + options_.lease;
    lease->device = held.device;
    lease->epoch = held.epoch;
    lease->epoch_fraction = held.epoch_fraction;
  }
  for (const AttemptEvents& events : input.events) {
    GS_RETURN_IF_ERROR(ApplyEvents(events, input.worker, *worker, now, output));
  }
  // A late copy of an older request does not know what the worker has been given since.
  if (fresh) GS_RETURN_IF_ERROR(OfferLeases(input, *worker, now, output));

  const bool busy = !leases_.OfWorker(input.worker).empty();
  if (input.leaving && !busy && !worker->left) {
    GS_RETURN_IF_ERROR(store_->MarkWorkerLeft(worker->id, now.wall));
    workers_.Left(*worker);
    departures_.left.push_back(input.worker);
  }
  const Pace pace = ChoosePace(workers_.LiveFleet(now).workers, busy, options_.lease);
  output.news = busy ? spacer_.Plan(now.monotonic, pace.news, pace.longest_news) : pace.news;
  output.next_call = std::max(pace.next_call, output.news);
  workers_.MayBeSilent(*worker, busy ? options_.lease : options_.lease * 3 / 2, now);
  return output;
}

absl::StatusOr<KnownWorker*> JobQueue::Register(const SyncInput& input, const Instant& now) {
  KnownWorker* const found = workers_.Find(input.worker);
  if (found != nullptr && found->superseded.contains(input.session)) {
    return Aborted("a newer worker named '{}' has registered; give each worker its own --name", input.worker);
  }
  const bool same_session = found != nullptr && found->session == input.session;
  if (!input.info) return same_session ? found : nullptr;
  // A late copy of an older request has nothing new to say.
  if (same_session && found->known && input.sync_seq < found->sync_seq) return found;

  if (!same_session && found != nullptr) {
    // A new process under an old name: what the old one ran is lost, and it may still be alive.
    std::vector<OpenAttempt> orphans;
    for (const AttemptId id : leases_.OfWorker(input.worker))
      orphans.push_back(leases_.Find(id)->job.attempt);
    for (const OpenAttempt& orphan : orphans) {
      GS_RETURN_IF_ERROR(Lose(orphan, input.worker, "the worker was restarted", now));
    }
  }
  WorkerInfo info = *input.info;
  info.record.name = input.worker;
  info.record.session = input.session;
  GS_ASSIGN_OR_RETURN(const WorkerId id, store_->UpsertWorker(info.record, now.wall));
  return &workers_.Register(input.worker, input.session, id, info);
}

absl::StatusOr<Lease*> JobQueue::FindLease(AttemptId attempt, const std::string& token,
                                           const std::string& worker, const Instant& now,
                                           SyncOutput& output) {
  Lease* const found = leases_.Find(attempt);
  if (found != nullptr && found->job.attempt.token == token && found->worker == worker) return found;
  if (std::find(output.stop.begin(), output.stop.end(), attempt) != output.stop.end()) return nullptr;

  const auto status = store_->GetAttempt(attempt, token);
  if (!status.ok() && !absl::IsNotFound(status.status()) && !absl::IsAborted(status.status()))
    return status.status();
  const KnownWorker* const known = workers_.Find(worker);
  const bool its_own = status.ok() && known != nullptr && status->attempt.worker == known->id;
  if (its_own && found == nullptr && status->state == AttemptState::kLost && status->is_newest &&
      status->job_state == JobState::kPending) {
    GS_RETURN_IF_ERROR(store_->ReviveAttempt(attempt, token, now.wall));
    Lease revived;
    revived.job.attempt = status->attempt;
    revived.job.attempt.counters.losses = std::max(0, status->attempt.counters.losses - 1);
    revived.worker = worker;
    revived.expiry = now.monotonic + options_.lease;
    return &leases_.Add(attempt, std::move(revived));
  }
  // Over, another's, or unknown. If it ended with a report, the worker may never have heard that it was
  // stored.
  if (status.ok()) output.stored.emplace_back(attempt, status->attempt.stored_seq);
  output.stop.push_back(attempt);
  return nullptr;
}

absl::Status JobQueue::ApplyEvents(const AttemptEvents& events, const std::string& name, KnownWorker& worker,
                                   const Instant& now, SyncOutput& output) {
  GS_ASSIGN_OR_RETURN(Lease* const lease, FindLease(events.attempt, events.token, name, now, output));
  if (lease == nullptr) return absl::OkStatus();
  lease->expiry = now.monotonic + options_.lease;
  const uint64_t& stored = lease->job.attempt.stored_seq;
  std::span<const AttemptEvent> rest(events.events);
  bool ended = false;
  while (!ended && !rest.empty()) {
    if (rest.front().seq > stored) {
      if (rest.front().seq != stored + 1) break;  // a gap: the worker sends from stored + 1 again
      GS_ASSIGN_OR_RETURN(ended, ApplyNext(rest, *lease, worker, now));
    }
    // What was stored just now, or before: then the answer was lost.
    while (!rest.empty() && rest.front().seq <= stored) rest = rest.subspan(1);
  }
  output.stored.emplace_back(events.attempt, stored);
  if (ended) {
    output.stop.push_back(events.attempt);
    leases_.Erase(events.attempt);
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> JobQueue::ApplyNext(std::span<const AttemptEvent> events, Lease& lease,
                                         KnownWorker& worker, const Instant& now) {
  const AttemptEvent& event = events.front();
  OpenAttempt& attempt = lease.job.attempt;
  absl::StatusOr<bool> ended = false;
  if (std::holds_alternative<EpochMetrics>(event.what)) {
    absl::Status applied = ApplyEpochs(events, lease);
    // One of several is refused: which one shows when each is stored alone.
    if (IsRefused(applied)) applied = ApplyEpochs(events.first(1), lease);
    if (!applied.ok()) ended = applied;
  } else if (const auto* started = std::get_if<AttemptStarted>(&event.what)) {
    ended = ApplyStarted(attempt, event.seq, *started, worker, now);
    if (ended.ok()) attempt.stored_seq = event.seq;
  } else {
    ended = true;
    const absl::Status applied =
        ApplyFinished(attempt, event.seq, std::get<AttemptFinished>(event.what), worker, now);
    if (!applied.ok()) ended = applied;
    if (applied.ok()) attempt.stored_seq = event.seq;
  }
  if (!IsRefused(ended.status())) return ended;
  // It would be refused each time it is sent again, so the attempt ends here instead.
  const std::string why = fmt::format("event {} cannot be stored: {}", event.seq, Message(ended.status()));
  GS_RETURN_IF_ERROR(End(attempt, event.seq, EndedAs(AttemptState::kFailed, why), now));
  attempt.stored_seq = event.seq;
  return true;
}

absl::Status JobQueue::ApplyEpochs(std::span<const AttemptEvent> events, Lease& lease) {
  OpenAttempt& attempt = lease.job.attempt;
  std::vector<EpochMetrics> epochs;
  for (const AttemptEvent& event : events) {
    const auto* epoch = std::get_if<EpochMetrics>(&event.what);
    if (epoch == nullptr || event.seq != attempt.stored_seq + 1 + epochs.size()) break;
    epochs.push_back(*epoch);
  }
  GS_RETURN_IF_ERROR(store_->RecordEpochs(attempt.attempt, attempt.token, attempt.stored_seq + 1, epochs));
  attempt.stored_seq += epochs.size();
  for (const EpochMetrics& epoch : epochs) GS_RETURN_IF_ERROR(forecast_.Add(attempt, lease.device, epoch));
  return absl::OkStatus();
}

absl::StatusOr<bool> JobQueue::ApplyStarted(const OpenAttempt& attempt, uint64_t seq,
                                            const AttemptStarted& started, KnownWorker& worker,
                                            const Instant& now) {
  const absl::Status status =
      store_->RecordStarted(attempt.attempt, attempt.token, seq, started.dataset, started.device,
                            started.environment, started.resumed_epoch);
  if (!absl::IsFailedPrecondition(status)) {
    GS_RETURN_IF_ERROR(status);
    return false;
  }
  // Its copy of the data set has other content than the sweep began with: this worker cannot serve the
  // sweep, and the job is not to blame.
  worker.refused.insert(started.dataset.name);
  GS_RETURN_IF_ERROR(End(attempt, seq, EndedAs(AttemptState::kPreempted, Message(status)), now));
  return true;
}

absl::Status JobQueue::ApplyFinished(const OpenAttempt& attempt, uint64_t seq, AttemptFinished finished,
                                     KnownWorker& worker, const Instant& now) {
  if (const std::string& dataset = finished.unusable_dataset; !dataset.empty()) {
    // Its copy of the data set is missing or broken. What another worker can train must not fail here; where there is
    // no other, waiting would be for ever, so the attempt counts as failed and says why.
    if (workers_.AnotherServes(dataset, worker, now)) {
      worker.refused.insert(dataset);
    } else {
      finished.outcome = AttemptState::kFailed;
    }
  }
  GS_RETURN_IF_ERROR(End(attempt, seq, finished, now));
  // A job that would fail anywhere says nothing about the machine.
  if (finished.outcome == AttemptState::kFailed && !finished.retryable) return absl::OkStatus();
  if (workers_.NoteEnd(worker, attempt.job, finished.outcome, finished.error, now))
    departures_.quarantined.push_back({worker.name, worker.quarantine_reason});
  return absl::OkStatus();
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
  end.retryable = finished.retryable;
  end.evaluation = finished.evaluation;
  return store_->EndAttempt(attempt.attempt, attempt.token, seq, end);
}

absl::Status JobQueue::OfferLeases(const SyncInput& input, KnownWorker& worker, const Instant& now,
                                   SyncOutput& output) {
  std::set<AttemptId> held;
  for (const HeldAttempt& attempt : input.held) held.insert(attempt.attempt);
  int64_t room = std::min(input.room, kMaxOffers);
  std::set<int64_t> offered;  // bundles
  std::vector<OpenAttempt> undeliverable;
  for (const AttemptId id : leases_.OfWorker(input.worker)) {
    if (held.contains(id)) continue;
    const Lease& lease = *leases_.Find(id);
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
    leases_.Erase(attempt.attempt);
  }
  if (room <= 0 || !worker.known || input.leaving || workers_.IsQuarantined(worker, now))
    return absl::OkStatus();

  ClaimRequest request{.worker = worker.id,
                       .limit = room,
                       .datasets = {},
                       .now = now.wall,
                       .share = options_.share,
                       .slots = workers_.LiveFleet(now).slots,
                       .max_jobs = kMaxOffers,
                       .cost = [this](const WorkClass& work) { return forecast_.BundleSeconds(work); }};
  for (const std::string& dataset : worker.datasets) {
    if (worker.Serves(dataset)) request.datasets.push_back(dataset);
  }
  if (request.datasets.empty()) return absl::OkStatus();
  GS_ASSIGN_OR_RETURN(const std::vector<ClaimedJob> claimed, store_->ClaimJobs(request));
  for (const ClaimedJob& job : claimed) {
    leases_.Add(job.attempt.attempt, {.job = job,
                                      .worker = input.worker,
                                      .expiry = now.monotonic + options_.lease,
                                      .device = {},
                                      .epoch = 0,
                                      .epoch_fraction = 0});
    output.leases.push_back(job);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<double>> JobQueue::SecondsLeft(SweepId sweep, const Instant& now) {
  return forecast_.SecondsLeft(sweep, leases_, workers_.LiveFleet(now).slots);
}

absl::Status JobQueue::Tick(const Instant& now, int limit) {
  const bool stalled = now.monotonic - last_tick_ > options_.lease / 2;
  last_tick_ = now.monotonic;
  if (stalled) {
    leases_.ExtendAll(now.monotonic + options_.lease);
    workers_.PardonAll(now);
    return absl::OkStatus();
  }
  if (now.monotonic - last_scan_ < std::min(kScanInterval, options_.lease / 10)) return absl::OkStatus();
  for (const std::string& name : workers_.TakeLost(now))
    departures_.lost.push_back({name, static_cast<int64_t>(leases_.OfWorker(name).size())});
  GS_RETURN_IF_ERROR(EndExpired(now, limit));
  GS_RETURN_IF_ERROR(TouchSeen(now));
  last_scan_ = now.monotonic;
  return absl::OkStatus();
}

absl::Status JobQueue::EndExpired(const Instant& now, int limit) {
  std::vector<std::pair<OpenAttempt, std::string>> expired;
  for (const auto& [id, lease] : leases_.all()) {
    if (lease.expiry > now.monotonic) continue;
    expired.emplace_back(lease.job.attempt, lease.worker);
    if (static_cast<int>(expired.size()) >= limit) break;
  }
  const std::string why =
      fmt::format("the worker was not heard for {}", absl::FormatDuration(options_.lease));
  for (const auto& [attempt, worker] : expired) GS_RETURN_IF_ERROR(Lose(attempt, worker, why, now));
  return absl::OkStatus();
}

absl::Status JobQueue::TouchSeen(const Instant& now) {
  if (now.monotonic - last_touch_ < kTouchInterval) return absl::OkStatus();
  const std::vector<WorkerId> seen = workers_.TakeTouched();
  if (!seen.empty()) GS_RETURN_IF_ERROR(store_->TouchWorkers(seen, now.wall));
  last_touch_ = now.monotonic;
  return absl::OkStatus();
}

absl::Status JobQueue::Lose(const OpenAttempt& attempt, const std::string& worker, const std::string& why,
                            const Instant& now) {
  GS_RETURN_IF_ERROR(End(attempt, 0, EndedAs(AttemptState::kLost, why), now));
  departures_.attempts.push_back({attempt.attempt, attempt.job, worker, why});
  leases_.Erase(attempt.attempt);
  return absl::OkStatus();
}

absl::Status JobQueue::Cancel(SweepId sweep, const Instant& now) {
  GS_ASSIGN_OR_RETURN(const std::vector<AttemptId> ended, store_->CancelSweep(sweep, now.wall));
  for (const AttemptId attempt : ended) leases_.Erase(attempt);
  return absl::OkStatus();
}

std::vector<LiveLease> JobQueue::Leases() const {
  std::vector<LiveLease> live;
  for (const auto& [id, lease] : leases_.all()) {
    live.push_back({id, lease.worker, lease.device, lease.epoch, lease.epoch_fraction});
  }
  return live;
}

std::vector<LiveWorker> JobQueue::Workers(const Instant& now) const {
  std::vector<LiveWorker> live;
  for (const auto& [name, worker] : workers_.all()) {
    if (!workers_.IsLive(worker, now)) continue;
    LiveWorker entry{worker.id, name, {}, static_cast<int64_t>(leases_.OfWorker(name).size()), {}};
    entry.slots = worker.slots;
    if (workers_.IsQuarantined(worker, now)) entry.quarantine = worker.quarantine_reason;
    for (const std::string& dataset : worker.datasets) {
      if (worker.Serves(dataset)) entry.datasets.push_back(dataset);
    }
    live.push_back(std::move(entry));
  }
  return live;
}

}  // namespace gridsweep
