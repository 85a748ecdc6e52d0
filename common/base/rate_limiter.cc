#include "common/base/rate_limiter.h"

#include <algorithm>

namespace gridsweep {
namespace {

// Names no caller, who all have names.
constexpr char kOthers[] = "";
constexpr absl::Duration kBetweenCleanings = absl::Seconds(1);

}  // namespace

absl::Duration RateLimiter::Take(std::string_view caller, absl::Duration now) {
  const std::lock_guard lock(mutex_);
  Bucket& bucket = BucketOf(caller, now);
  Fill(bucket, now);
  if (bucket.calls < 1) return absl::Seconds((1 - bucket.calls) / options_.per_second);
  bucket.calls -= 1;
  return absl::ZeroDuration();
}

bool RateLimiter::Knows(std::string_view caller) const {
  const std::lock_guard lock(mutex_);
  return buckets_.contains(std::string(caller));
}

size_t RateLimiter::callers() const {
  const std::lock_guard lock(mutex_);
  return buckets_.size();
}

void RateLimiter::Fill(Bucket& bucket, absl::Duration now) const {
  // Two threads may come in the other order than they have looked at the clock.
  if (now <= bucket.filled) return;
  bucket.calls = std::min(options_.burst,
                          bucket.calls + absl::ToDoubleSeconds(now - bucket.filled) * options_.per_second);
  bucket.filled = now;
}

RateLimiter::Bucket& RateLimiter::BucketOf(std::string_view caller, absl::Duration now) {
  const std::string name(caller);
  if (const auto found = buckets_.find(name); found != buckets_.end()) return found->second;
  if (buckets_.size() >= options_.max_callers && now - cleaned_ >= kBetweenCleanings) {
    cleaned_ = now;
    std::erase_if(buckets_, [&](const auto& entry) {
      Bucket bucket = entry.second;
      Fill(bucket, now);
      return bucket.calls >= options_.burst;
    });
  }
  const Bucket full{.calls = options_.burst, .filled = now};
  return buckets_.try_emplace(buckets_.size() >= options_.max_callers ? kOthers : name, full).first->second;
}

}  // namespace gridsweep
