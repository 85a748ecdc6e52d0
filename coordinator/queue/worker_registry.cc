#include "coordinator/queue/worker_registry.h"

#include <algorithm>
#include <utility>

namespace gridsweep {
namespace {

constexpr size_t kSickAfter = 3;  // different jobs
constexpr absl::Duration kQuarantine = absl::Minutes(10);
constexpr absl::Duration kCountInterval = absl::Seconds(1);

}  // namespace

bool KnownWorker::Serves(const std::string& dataset) const {
  return !refused.contains(dataset) && std::find(datasets.begin(), datasets.end(), dataset) != datasets.end();
}

void WorkerRegistry::Load(const std::vector<WorkerStatusRecord>& records,
                          const std::vector<SupersededSession>& superseded) {
  std::map<std::string, KnownWorker> workers;
  std::map<WorkerId, std::set<std::string>> earlier;
  for (const SupersededSession& session : superseded) earlier[session.worker].insert(session.session);
  for (const WorkerStatusRecord& record : records) {
    KnownWorker& worker = workers[record.worker.name];
    worker.name = record.worker.name;
    worker.id = record.id;
    worker.session = record.worker.session;
    worker.slots = record.worker.slots;
    worker.left = record.left.has_value();
    worker.superseded = std::move(earlier[record.id]);
    // What is known of this very session stays: only writes were lost.
    if (const KnownWorker* before = Find(worker.name);
        before != nullptr && before->session == worker.session) {
      worker.refused = before->refused;
      worker.failed_in_a_row = before->failed_in_a_row;
      worker.quarantined_until = before->quarantined_until;
      worker.quarantine_reason = before->quarantine_reason;
    }
  }
  workers_ = std::move(workers);
  fleet_counted_ = -absl::InfiniteDuration();
}

void WorkerRegistry::Expect(const std::string& name, const Instant& now) {
  KnownWorker& worker = workers_[name];
  worker.lost = false;
  worker.lost_after = now.monotonic + lease_;
}

KnownWorker* WorkerRegistry::Find(const std::string& name) {
  const auto found = workers_.find(name);
  return found == workers_.end() ? nullptr : &found->second;
}

KnownWorker& WorkerRegistry::Register(const std::string& name, const std::string& session, WorkerId id,
                                      const WorkerInfo& info) {
  KnownWorker& worker = workers_[name];
  if (worker.session != session) {
    if (!worker.session.empty()) worker.superseded.insert(worker.session);
    worker.session = session;
    worker.sync_seq = 0;
    worker.refused.clear();
    worker.failed_in_a_row.clear();
    worker.quarantined_until = -absl::InfiniteDuration();
    worker.quarantine_reason.clear();
  }
  worker.name = name;
  worker.id = id;
  worker.known = true;
  worker.datasets = info.datasets;
  worker.slots = info.record.slots;
  worker.left = false;
  fleet_counted_ = -absl::InfiniteDuration();
  return worker;
}

void WorkerRegistry::Heard(KnownWorker& worker, const Instant& now) {
  if (!IsLive(worker, now)) fleet_counted_ = -absl::InfiniteDuration();
  worker.last_seen = now.monotonic;
  worker.touched = true;
  worker.lost = false;
  MayBeSilent(worker, lease_, now);
}

void WorkerRegistry::MayBeSilent(KnownWorker& worker, absl::Duration patience, const Instant& now) {
  worker.patience = patience;
  worker.lost_after = now.monotonic + patience;
}

void WorkerRegistry::Left(KnownWorker& worker) {
  worker.left = worker.lost = true;
  fleet_counted_ = -absl::InfiniteDuration();
}

void WorkerRegistry::PardonAll(const Instant& now) {
  for (auto& [name, worker] : workers_) worker.lost_after = now.monotonic + std::max(lease_, worker.patience);
}

bool WorkerRegistry::IsLive(const KnownWorker& worker, const Instant& now) const {
  return !worker.left && now.monotonic - worker.last_seen <= std::max(lease_, worker.patience);
}

const WorkerRegistry::Fleet& WorkerRegistry::LiveFleet(const Instant& now) {
  if (now.monotonic - fleet_counted_ < kCountInterval) return fleet_;
  fleet_ = {};
  for (const auto& [name, worker] : workers_) {
    if (!IsLive(worker, now)) continue;
    ++fleet_.workers;
    fleet_.slots += std::max<int64_t>(1, worker.slots);
  }
  fleet_counted_ = now.monotonic;
  return fleet_;
}

bool WorkerRegistry::AnotherServes(const std::string& dataset, const KnownWorker& than,
                                   const Instant& now) const {
  return std::any_of(workers_.begin(), workers_.end(), [&](const auto& entry) {
    return &entry.second != &than && IsLive(entry.second, now) && entry.second.Serves(dataset);
  });
}

bool WorkerRegistry::NoteEnd(KnownWorker& worker, JobId job, AttemptState end, const std::string& error,
                             const Instant& now) {
  if (end == AttemptState::kSucceeded || end == AttemptState::kDiverged) worker.failed_in_a_row.clear();
  if (end != AttemptState::kFailed) return false;
  worker.failed_in_a_row.insert(job);
  if (worker.failed_in_a_row.size() < kSickAfter || IsQuarantined(worker, now)) return false;
  // Where all fail it is not the machine.
  const bool another = std::any_of(workers_.begin(), workers_.end(), [&](const auto& entry) {
    return &entry.second != &worker && IsLive(entry.second, now) && !IsQuarantined(entry.second, now);
  });
  if (!another) return false;
  worker.quarantined_until = now.monotonic + kQuarantine;
  worker.quarantine_reason = fmt::format("{} different jobs in a row have failed on it, the last: {}",
                                         worker.failed_in_a_row.size(), error);
  worker.failed_in_a_row.clear();
  return true;
}

bool WorkerRegistry::IsQuarantined(const KnownWorker& worker, const Instant& now) const {
  return now.monotonic < worker.quarantined_until;
}

std::vector<std::string> WorkerRegistry::TakeLost(const Instant& now) {
  std::vector<std::string> lost;
  for (auto& [name, worker] : workers_) {
    if (worker.lost || worker.lost_after > now.monotonic) continue;
    worker.lost = true;
    lost.push_back(name);
  }
  return lost;
}

std::vector<WorkerId> WorkerRegistry::TakeTouched() {
  std::vector<WorkerId> touched;
  for (auto& [name, worker] : workers_) {
    if (std::exchange(worker.touched, false)) touched.push_back(worker.id);
  }
  return touched;
}

}  // namespace gridsweep
