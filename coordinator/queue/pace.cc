#include "coordinator/queue/pace.h"

#include <algorithm>

namespace gridsweep {
namespace {

// A call by itself costs 0.4 ms of a core, almost all of it gRPC's; among many others a quarter of that, and what it brings to
// store about 10 us a row. So 70 calls a second of idle workers, which leave the cores to trainers, and 1000 with news, which
// leave most of a core to the rows.
constexpr absl::Duration kIdlePerWorker = absl::Milliseconds(14);
constexpr absl::Duration kBusyPerWorker = absl::Microseconds(2500);
constexpr absl::Duration kNewsPerWorker = absl::Milliseconds(1);

constexpr absl::Duration kIdleCall = absl::Milliseconds(250);
constexpr absl::Duration kBusyCall = absl::Seconds(1);

}  // namespace

Pace ChoosePace(int64_t workers, bool busy, absl::Duration lease) {
  const absl::Duration longest = lease / 4;
  Pace pace;
  if (busy) {
    pace.next_call = std::clamp(workers * kBusyPerWorker, std::min(kBusyCall, longest), longest);
  } else {
    // It holds nothing that could run out, but is taken for gone when the lease's time has passed.
    pace.next_call = std::clamp(workers * kIdlePerWorker, std::min(kIdleCall, longest), lease * 9 / 10);
  }
  pace.news = std::min(workers * kNewsPerWorker, longest);
  pace.longest_news = std::min(2 * pace.news, lease / 3);
  return pace;
}

absl::Duration CallSpacer::Plan(absl::Duration now, absl::Duration delay, absl::Duration longest) {
  last_ = std::min(std::max(now + delay, last_ + kNewsPerWorker), now + std::max(delay, longest));
  return last_ - now;
}

}  // namespace gridsweep
