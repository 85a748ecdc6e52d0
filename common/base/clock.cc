#include "common/base/clock.h"

#include <ctime>

#include "absl/time/clock.h"

namespace gridsweep {
namespace {

class RealClock : public Clock {
 public:
  Instant Now() const override {
    timespec boot{};
    clock_gettime(CLOCK_BOOTTIME, &boot);
    return {absl::Now(), absl::DurationFromTimespec(boot)};
  }
};

}  // namespace

const Clock& SystemClock() {
  static const RealClock clock;
  return clock;
}

}  // namespace gridsweep
