// The workers as the coordinator knows them: sessions, data sets, when they were last heard.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/ids.h"
#include "common/job/retry_policy.h"
#include "coordinator/queue/sync.h"
#include "coordinator/store/store_reader.h"

namespace gridsweep {

struct KnownWorker {
  std::string name;
  WorkerId id;
  std::string session;
  std::set<std::string> superseded;  // earlier sessions of this name
  uint64_t sync_seq = 0;             // highest of the session
  bool known = false;                // has sent its info since we started
  int64_t slots = 0;
  std::vector<std::string> datasets;
  std::set<std::string> refused;  // data sets whose content differs from the sweep's
  bool left = false;              // it ended in order

  std::string quarantine_reason;  // why it was given no jobs when it last was not

  // May be given jobs on it.
  bool Serves(const std::string& dataset) const;

 private:
  friend class WorkerRegistry;
  absl::Duration last_seen = -absl::InfiniteDuration();
  std::set<JobId> failed_in_a_row;  // different jobs, without one that ended well among them
  absl::Duration quarantined_until = -absl::InfiniteDuration();
  bool touched = false;  // heard since the store was told
  bool lost = true;      // not heard since Load, or given up
  absl::Duration lost_after = absl::InfiniteDuration();
  absl::Duration patience;  // how long it may be silent
};

// By name. Time comes in. Not thread-safe.
class WorkerRegistry {
 public:
  // Live workers and the slots of all of them.
  struct Fleet {
    int64_t workers = 0;
    int64_t slots = 0;
  };

  // A worker is live as long as it was heard within `lease`, or within the time of MayBeSilent.
  explicit WorkerRegistry(absl::Duration lease) : lease_(lease) {}

  // Begins anew with what is stored. Sessions that were known keep what is only held in memory: quarantine and refused data.
  void Load(const std::vector<WorkerStatusRecord>& records, const std::vector<SupersededSession>& superseded);
  // After Load: it holds leases, so it is missed when it stays silent.
  void Expect(const std::string& name, const Instant& now);

  // nullptr if there is none. Pointers stay valid until Load.
  KnownWorker* Find(const std::string& name);
  // Inserts or updates it from what it says of itself; a new `session` supersedes the old one.
  KnownWorker& Register(const std::string& name, const std::string& session, WorkerId id,
                        const WorkerInfo& info);
  void Heard(KnownWorker& worker, const Instant& now);
  // From now on, until it is heard again: one that holds no lease may be late without harm.
  void MayBeSilent(KnownWorker& worker, absl::Duration patience, const Instant& now);
  void Left(KnownWorker& worker);
  // Nobody could be heard until now: all get a fresh term.
  void PardonAll(const Instant& now);

  // Heard of late, and has not left.
  bool IsLive(const KnownWorker& worker, const Instant& now) const;
  // A worker that falls silent is counted for a second more: counting a thousand in each batch would be dear.
  const Fleet& LiveFleet(const Instant& now);
  bool AnotherServes(const std::string& dataset, const KnownWorker& than, const Instant& now) const;
  // A job of its has come to its end. A worker that fails several different jobs in a row is taken for sick, as long as there
  // is another one: it gets no jobs for a while, or until it is started anew. Returns whether that begins now.
  bool NoteEnd(KnownWorker& worker, JobId job, AttemptState end, const std::string& error,
               const Instant& now);
  bool IsQuarantined(const KnownWorker& worker, const Instant& now) const;
  // Names of the workers that have been silent for too long, each told once.
  std::vector<std::string> TakeLost(const Instant& now);
  // Those heard since the last call.
  std::vector<WorkerId> TakeTouched();
  const std::map<std::string, KnownWorker>& all() const { return workers_; }

 private:
  const absl::Duration lease_;
  std::map<std::string, KnownWorker> workers_;
  Fleet fleet_;
  absl::Duration fleet_counted_ = -absl::InfiniteDuration();
};

}  // namespace gridsweep
