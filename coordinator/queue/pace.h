// How often workers call.
#pragma once

#include "absl/time/time.h"

namespace gridsweep {

struct Pace {
  absl::Duration next_call;     // without news, after the last answer
  absl::Duration news;          // with news: not sooner than this after the last answer
  absl::Duration longest_news;  // where that would bring many at once: up to this
};

// For a worker that is `busy` or not, one of `workers` live ones: short with few, for a lively view, and longer with many, so
// that the calls of all cost a bounded share of a core and news comes in batches. Never so long that `lease` could run out.
Pace ChoosePace(int64_t workers, bool busy, absl::Duration lease);

// Calls that came in a crowd, after a pause of the disk's say, come in a crowd again after the same delay, and wait for each other
// each time. Tells them apart: no two calls are due at once, as long as there is time for that.
class CallSpacer {
 public:
  // How long a call should wait, from `now`: `delay`, or as much longer, up to `longest`, as keeps it clear of those planned
  // before.
  absl::Duration Plan(absl::Duration now, absl::Duration delay, absl::Duration longest);

 private:
  absl::Duration last_ = -absl::InfiniteDuration();  // planned so far
};

}  // namespace gridsweep
