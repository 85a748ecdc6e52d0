// How long things take, counted in buckets.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace gridsweep {

// Seconds, from half a millisecond to ten seconds. Thread-safe, without a lock.
class Histogram {
 public:
  static constexpr std::array<double, 14> kBounds = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                     0.1,    0.25,  0.5,    1,     2.5,  5,     10};
  struct Snapshot {
    std::array<int64_t, kBounds.size() + 1> counts{};  // of each bucket, not of those below it
    double sum = 0;
  };

  void Observe(double seconds) {
    size_t bucket = 0;
    while (bucket < kBounds.size() && seconds > kBounds[bucket]) ++bucket;
    counts_[bucket].fetch_add(1, std::memory_order_relaxed);
    sum_ns_.fetch_add(static_cast<int64_t>(seconds * 1e9), std::memory_order_relaxed);
  }
  Snapshot Take() const {
    Snapshot snapshot;
    for (size_t i = 0; i < counts_.size(); ++i)
      snapshot.counts[i] = counts_[i].load(std::memory_order_relaxed);
    snapshot.sum = static_cast<double>(sum_ns_.load(std::memory_order_relaxed)) * 1e-9;
    return snapshot;
  }

 private:
  std::array<std::atomic<int64_t>, kBounds.size() + 1> counts_{};
  std::atomic<int64_t> sum_ns_{0};
};

}  // namespace gridsweep
