// A clock that moves only when a test says so.
#pragma once

#include <mutex>

#include "common/base/clock.h"

namespace gridsweep {

// Thread-safe.
class FakeClock : public Clock {
 public:
  Instant Now() const override {
    const std::lock_guard lock(mutex_);
    return now_;
  }
  void Advance(absl::Duration by) {
    const std::lock_guard lock(mutex_);
    now_.wall += by;
    now_.monotonic += by;
  }
  // Somebody sets the machine's clock; nothing that is decided by monotonic time may notice.
  void SetWall(absl::Time wall) {
    const std::lock_guard lock(mutex_);
    now_.wall = wall;
  }

 private:
  mutable std::mutex mutex_;
  Instant now_{absl::FromUnixSeconds(1'800'000'000), absl::Hours(1)};
};

}  // namespace gridsweep
