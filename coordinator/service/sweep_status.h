// One sweep as `watch` and `run` show it: counts, progress, ETA, running jobs, the best so far, why nothing
// moves.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/base/status.h"
#include "coordinator/queue/job_queue.h"
#include "coordinator/store/store_reader.h"
#include "gridsweep/v1/sweep_service.pb.h"

namespace gridsweep {

// What only the queue knows.
struct LiveView {
  std::vector<LiveLease> leases;
  std::vector<LiveWorker> workers;
  std::optional<double> seconds_left;  // of the sweep asked for
  std::optional<WriteTrouble> trouble;
};

// Returns the reader's errors.
absl::StatusOr<v1::SweepStatus> BuildSweepStatus(StoreReader& reader, SweepId sweep, const LiveView& live,
                                                 absl::Time now);

// In a line: what a user must know and do; empty without trouble.
std::string DescribeTrouble(const std::optional<WriteTrouble>& trouble, absl::Time now);

// Why the pending jobs of a sweep on `dataset` do not start; empty if they can.
std::string WaitingFor(const SweepRecord& sweep, const std::vector<LiveWorker>& workers);

}  // namespace gridsweep
