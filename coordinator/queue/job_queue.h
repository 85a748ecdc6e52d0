// Hands out jobs under leases and takes their results back: every decision of the coordinator about workers,
// attempts and time.
//
// Deterministic: no clock, thread, socket or disk of its own; `now` comes in, the store is an interface. Not
// thread-safe: the commit loop owns it. What must survive a crash is in the store; in memory are the leases'
// deadlines, the workers' sessions and the live progress, which a restart rebuilds: every open lease then
// gets one fresh term.
//
// Each method leaves store and memory in step even when it fails midway: it may have done a part of its work,
// which is durable with the batch, and repeating it does the rest. When a batch is lost (CommitBatch failed),
// call Load again.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/ids.h"
#include "common/base/status.h"
#include "common/job/retry_policy.h"
#include "coordinator/queue/lease_table.h"
#include "coordinator/queue/pace.h"
#include "coordinator/queue/sync.h"
#include "coordinator/queue/work_forecast.h"
#include "coordinator/queue/worker_registry.h"
#include "coordinator/store/store.h"
#include "coordinator/store/store_reader.h"

namespace gridsweep {

struct QueueOptions {
  // How long a worker may be silent before its jobs are given to others. Longer rides out longer outages;
  // shorter recovers sooner from a dead machine.
  absl::Duration lease = absl::Seconds(30);
  RetryPolicy retry;
  // Whether jobs that differ only in the scheduler are leased as bundles. Numbers do not depend on it.
  bool share = true;
  // Jitter of back-off, in [0, 1).
  std::function<double()> jitter = [] { return 0.5; };
};

// A lease as the live view shows it.
struct LiveLease {
  AttemptId attempt;
  std::string worker;
  std::string device;
  int64_t epoch = 0;
  double epoch_fraction = 0;
};

// A worker that was heard within the lease.
struct LiveWorker {
  WorkerId id;
  std::string name;
  std::vector<std::string> datasets;  // it may be given jobs on these
  int64_t running = 0;
  std::string quarantine;  // why it is given no jobs; empty if it is
  int64_t slots = 0;
};

// Who is gone and what was given up, for the log.
struct LostAttempt {
  AttemptId attempt;
  JobId job;
  std::string worker;
  std::string reason;
};
struct LostWorker {
  std::string name;
  int64_t attempts = 0;  // that it held
};
struct QuarantinedWorker {
  std::string name;
  std::string reason;
};
struct Departures {
  std::vector<std::string> left;  // workers that ended in order
  std::vector<LostWorker> lost;
  std::vector<LostAttempt> attempts;
  std::vector<QuarantinedWorker> quarantined;
};

class JobQueue {
 public:
  // `store` is not owned and must outlive the queue.
  JobQueue(Store* store, QueueOptions options);

  // Reads the open attempts and known workers and gives every lease a fresh term from `now`. Call first, and
  // again after a lost batch.
  absl::Status Load(StoreReader& reader, const Instant& now);

  // One exchange with a worker. Idempotent: a repeated or reordered request stores nothing twice and is given
  // no second job for the same room.
  //   ABORTED            a newer session of this worker has registered
  //   INVALID_ARGUMENT   an empty name or session
  //   other errors       of the store: the worker must keep its events and call again
  absl::StatusOr<SyncOutput> Sync(const SyncInput& input, const Instant& now);

  // Ends the leases that have run out, at most `limit` a call; looks no more often than five times a second, so that it
  // may be called with every batch. A gap between calls of more than half a lease (this machine was suspended or
  // stalled, so nobody could be heard) gives every lease a fresh term instead.
  absl::Status Tick(const Instant& now, int limit = 256);

  // The workers and attempts given up since the last call: by Tick, as not heard for the lease, and by Sync, as started
  // anew. A worker that has not been heard since Load, and held nothing then, is none.
  Departures TakeDepartures() { return std::exchange(departures_, {}); }

  // Ends a sweep's jobs; workers learn it with their next Sync.
  absl::Status Cancel(SweepId sweep, const Instant& now);

  std::vector<LiveLease> Leases() const;
  std::vector<LiveWorker> Workers(const Instant& now) const;
  // Expected seconds until the sweep's last job ends, by what epochs have cost so far and with the workers that
  // are there now; older sweeps come first. nullopt while something it waits for has an unknown cost, or
  // nothing can run. Returns the store's errors.
  absl::StatusOr<std::optional<double>> SecondsLeft(SweepId sweep, const Instant& now);

 private:
  // The worker's record, registered anew for a new session. nullptr: its info is needed first.
  absl::StatusOr<KnownWorker*> Register(const SyncInput& input, const Instant& now);
  // The lease of an attempt that `worker` says it holds, revived if it had expired and nobody took it. nullptr:
  // no longer the worker's; then `output` says what is stored and to stop.
  absl::StatusOr<Lease*> FindLease(AttemptId attempt, const std::string& token, const std::string& worker,
                                   const Instant& now, SyncOutput& output);
  absl::Status ApplyEvents(const AttemptEvents& events, const std::string& name, KnownWorker& worker,
                           const Instant& now, SyncOutput& output);
  // Stores one event, or the run of epochs that `events` begins with, and notes in `lease` up to where. Returns
  // whether the attempt is over now.
  absl::StatusOr<bool> ApplyNext(std::span<const AttemptEvent> events, Lease& lease, KnownWorker& worker,
                                 const Instant& now);
  absl::StatusOr<bool> ApplyStarted(const OpenAttempt& attempt, uint64_t seq, const AttemptStarted& started,
                                    KnownWorker& worker, const Instant& now);
  absl::Status ApplyFinished(const OpenAttempt& attempt, uint64_t seq, AttemptFinished finished,
                             KnownWorker& worker, const Instant& now);
  // Stores the epochs that `events` begins with, at once.
  absl::Status ApplyEpochs(std::span<const AttemptEvent> events, Lease& lease);
  absl::Status End(const OpenAttempt& attempt, uint64_t seq, const AttemptFinished& finished,
                   const Instant& now);
  // Puts into `output` every lease the worker should run and did not list, and new ones as far as it has
  // room.
  absl::Status OfferLeases(const SyncInput& input, KnownWorker& worker, const Instant& now,
                           SyncOutput& output);
  // Ends an attempt as lost and its lease with it.
  absl::Status Lose(const OpenAttempt& attempt, const std::string& worker, const std::string& why,
                    const Instant& now);
  // Ends the leases that have run out, at most `limit`.
  absl::Status EndExpired(const Instant& now, int limit);
  absl::Status TouchSeen(const Instant& now);

  Store* const store_;
  const QueueOptions options_;
  LeaseTable leases_;
  WorkerRegistry workers_;
  Departures departures_;
  WorkForecast forecast_;
  CallSpacer spacer_;
  absl::Duration last_tick_ = -absl::InfiniteDuration();
  absl::Duration last_scan_ = -absl::InfiniteDuration();
  absl::Duration last_touch_ = -absl::InfiniteDuration();
};

}  // namespace gridsweep
