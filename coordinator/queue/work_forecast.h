// What work costs and when a sweep will end, learnt from the epochs that were trained.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/base/status.h"
#include "common/job/metrics.h"
#include "coordinator/queue/cost_model.h"
#include "coordinator/queue/finish_estimate.h"
#include "coordinator/queue/lease_table.h"
#include "coordinator/store/store.h"

namespace gridsweep {

// Not thread-safe. Returns the store's errors.
class WorkForecast {
 public:
  // `store` is not owned and must outlive it. `share`: whether jobs are leased as bundles.
  WorkForecast(Store* store, bool share) : store_(store), share_(share) {}

  // Forgets everything and learns from the stored epochs.
  absl::Status Load();
  // Learns from an epoch that was stored just now.
  absl::Status Add(const OpenAttempt& attempt, const std::string& device, const EpochMetrics& epoch);

  // Expected seconds of a class's bundle; infinite while unknown.
  double BundleSeconds(const WorkClass& work) const;

  // Expected seconds until the sweep's last job ends, with `slots` slots in all; older sweeps come first. nullopt while
  // something it waits for has an unknown cost, or nothing can run.
  absl::StatusOr<std::optional<double>> SecondsLeft(SweepId sweep, const LeaseTable& leases, int64_t slots);

 private:
  // The kind of work of a class; empty if its sweep is over.
  absl::StatusOr<std::string> KindOf(SweepId sweep, int64_t work);
  // Expected seconds of every bundle that is running, and whether it is of `sweep`.
  absl::StatusOr<std::optional<std::vector<BusySlot>>> RunningWork(SweepId sweep, const LeaseTable& leases);

  Store* const store_;
  const bool share_;
  CostModel costs_;
  std::map<std::pair<SweepId, int64_t>, std::string> kinds_;  // of work classes, as far as they were needed
};

}  // namespace gridsweep
