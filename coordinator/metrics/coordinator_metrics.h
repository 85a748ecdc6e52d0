// What a coordinator counts while it runs. docs/operations.md lists what is exposed.
#pragma once

#include <atomic>
#include <cstdint>
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
  Histogram commit_seconds;                  // from taking a batch to its commit
  Histogram sync_seconds;                    // from a Sync's arrival to its answer
};

// What is as it is now.
struct CoordinatorState {
  std::vector<SweepRecord> sweeps;
  int64_t working = 0, idle = 0, quarantined = 0, lost = 0, left = 0;  // workers
  int64_t leases = 0;
  int64_t waiting_requests = 0;
  bool in_trouble = false;
  int64_t database_bytes = 0, wal_bytes = 0, free_bytes = 0;
};

// In Prometheus' text format.
std::string RenderMetrics(const CoordinatorMetrics& metrics, const CoordinatorState& state);

}  // namespace gridsweep
