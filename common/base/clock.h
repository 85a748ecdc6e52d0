// Time, as a seam: production code takes a Clock, tests advance a FakeClock.
#pragma once

#include "absl/time/time.h"

namespace gridsweep {

// One moment on both scales. Leases, back-off and timeouts are decided on `monotonic`; `wall` is for people
// and for columns of the database, and may jump.
struct Instant {
  absl::Time wall;
  absl::Duration monotonic;  // since an arbitrary start; counts suspended time
};

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant Now() const = 0;
};

// CLOCK_REALTIME and CLOCK_BOOTTIME. Lives for the whole process.
const Clock& SystemClock();

}  // namespace gridsweep
