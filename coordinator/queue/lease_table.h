// The open leases in memory.
#pragma once

#include <map>
#include <set>
#include <string>

#include "absl/time/time.h"
#include "coordinator/store/store.h"

namespace gridsweep {

struct Lease {
  ClaimedJob job;  // job_json is empty after a restart
  std::string worker;
  absl::Duration expiry;
  // What its worker last said, for the live view.
  std::string device;
  int64_t epoch = 0;
  double epoch_fraction = 0;
};

// Leases by attempt and by worker: a Sync must cost what its worker holds, not what all hold. Iterates in the order of
// attempts. Pointers to leases stay valid until their lease is erased. Not thread-safe.
class LeaseTable {
 public:
  // nullptr if the attempt has none.
  Lease* Find(AttemptId attempt);
  // REQUIRES: the attempt has none.
  Lease& Add(AttemptId attempt, Lease lease);
  void Erase(AttemptId attempt);
  void Clear();

  const std::map<AttemptId, Lease>& all() const { return leases_; }
  const std::set<AttemptId>& OfWorker(const std::string& worker) const;
  // Every lease runs until `expiry`.
  void ExtendAll(absl::Duration expiry);

 private:
  std::map<AttemptId, Lease> leases_;
  std::map<std::string, std::set<AttemptId>> by_worker_;  // without empty sets
};

}  // namespace gridsweep
