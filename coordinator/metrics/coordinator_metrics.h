// What a coordinator counts while it runs. docs/operations.md lists what is exposed.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "coordinator/metrics/histogram.h"
#include "coordinator/store/store_reader.h"

namespace gridsweep {

// Thread-safe: counters only grow.
struct CoordinatorMetrics {
  std::atomic<int64_t> commits{0};
  std::atomic<int64_t> failed_commits{0};
  std::atomic<int64_t> operations{0};        // in them
  std::atomic<int64_t> epochs_reported{0};   // in answered Syncs; some are stored from before
  std::atomic<int64_t> refused_requests{0};  // too many waited
  std::atomic<int64_t> limited_calls{0};     // of callers that called too often
  std::atomic<int64_t> denied_calls{0};      // without a valid token, or with another role's
  std::atomic<int64_t> leases_granted{0};
  std::atomic<int64_t> attempts_reported{0};  // as over, in answered Syncs
  std::atomic<bool> in_trouble{false};        // the disk takes no writes
  Histogram commit_seconds;                   // from taking a batch to its commit
  Histogram sync_seconds;                     // from a Sync's arrival to its answer
};

// What is as it is now.
struct CoordinatorState {
  // What only the writer knows.
  struct Live {
    int64_t leases = 0;
    std::map<std::string, int64_t> workers;  // by state; those that are missing are zero
  };
  std::vector<SweepRecord> sweeps;
  StoreSizes sizes;
  int64_t waiting_requests = 0;
  std::optional<Live> live;  // nullopt: it did not answer, or there is none
};

// In Prometheus' text format.
std::string RenderMetrics(const CoordinatorMetrics& metrics, const CoordinatorState& state);

}  // namespace gridsweep
