// How often workers call.
#pragma once

#include "absl/time/time.h"

namespace gridsweep {

struct Pace {
  absl::Duration next_call;  // without news, after the last answer
  absl::Duration news;       // with news: not sooner than this after the last answer
};

// For a worker that is `busy` or not, one of `workers` live ones: short with few, for a lively view, and longer with many, so
// that the calls of all cost a bounded share of a core and news comes in batches. Never so long that `lease` could run out.
Pace ChoosePace(int64_t workers, bool busy, absl::Duration lease);

}  // namespace gridsweep
