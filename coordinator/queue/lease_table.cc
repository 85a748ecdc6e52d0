#include "coordinator/queue/lease_table.h"

#include <utility>

namespace gridsweep {

Lease* LeaseTable::Find(AttemptId attempt) {
  const auto found = leases_.find(attempt);
  return found == leases_.end() ? nullptr : &found->second;
}

Lease& LeaseTable::Add(AttemptId attempt, Lease lease) {
  by_worker_[lease.worker].insert(attempt);
  return leases_.insert_or_assign(attempt, std::move(lease)).first->second;
}

void LeaseTable::Erase(AttemptId attempt) {
  const auto found = leases_.find(attempt);
  if (found == leases_.end()) return;
  const auto worker = by_worker_.find(found->second.worker);
  worker->second.erase(attempt);
  if (worker->second.empty()) by_worker_.erase(worker);
  leases_.erase(found);
}

void LeaseTable::Clear() {
  leases_.clear();
  by_worker_.clear();
}

const std::set<AttemptId>& LeaseTable::OfWorker(const std::string& worker) const {
  static const std::set<AttemptId> kNone;
  const auto found = by_worker_.find(worker);
  return found == by_worker_.end() ? kNone : found->second;
}

void LeaseTable::ExtendAll(absl::Duration expiry) {
  for (auto& [attempt, lease] : leases_) lease.expiry = expiry;
}

}  // namespace gridsweep
