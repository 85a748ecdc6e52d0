// A token bucket for each of many callers.
#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "absl/time/time.h"

namespace gridsweep {

// Thread-safe. Decides by the time that comes in; has no clock.
class RateLimiter {
 public:
  struct Options {
    double per_second = 100;  // of one caller, for ever
    double burst = 1000;      // and at once, after a pause
    // Callers remembered. Beyond it those who have not called for long are forgotten, which changes nothing for them; where all
    // have called just now, further ones share one bucket.
    size_t max_callers = 16'384;
  };
  explicit RateLimiter(const Options& options) : options_(options) {}

  // Takes a call from the caller's bucket: zero if it may go on, else how long until it may, with nothing taken.
  absl::Duration Take(std::string_view caller, absl::Duration now);
  // Whether the caller has a bucket of its own already.
  bool Knows(std::string_view caller) const;
  size_t callers() const;

 private:
  struct Bucket {
    double calls = 0;
    absl::Duration filled;  // up to then
  };
  void Fill(Bucket& bucket, absl::Duration now) const;
  Bucket& BucketOf(std::string_view caller, absl::Duration now);

  const Options options_;
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Bucket> buckets_;  // guarded by mutex_
  // When the full buckets were last looked for. Guarded by mutex_
  absl::Duration cleaned_ = -absl::InfiniteDuration();
};

}  // namespace gridsweep
