#include "coordinator/queue/pace.h"

#include <algorithm>

namespace gridsweep {
namespace {

// A call costs about 0.1 ms of a core, and what it brings to store about 10 us a row: 400 idle calls a second, and 1000 with
// news, leave most of a core to the rows.
constexpr absl::Duration kIdlePerWorker = absl::Microseconds(2500);
constexpr absl::Duration kNewsPerWorker = absl::Milliseconds(1);

constexpr absl::Duration kIdleCall = absl::Milliseconds(250);
constexpr absl::Duration kSlowestIdleCall = absl::Seconds(5);
constexpr absl::Duration kBusyCall = absl::Seconds(1);

}  // namespace

Pace ChoosePace(int64_t workers, bool busy, absl::Duration lease) {
  const absl::Duration longest = lease / 4;
  const absl::Duration paced = workers * kIdlePerWorker;
  Pace pace;
  pace.next_call = busy ? std::clamp(paced, std::min(kBusyCall, longest), longest)
                        : std::clamp(paced, kIdleCall, kSlowestIdleCall);
  pace.news = std::min(workers * kNewsPerWorker, longest);
  return pace;
}

}  // namespace gridsweep
