// Exponential back-off with full jitter (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog,
// 2015).
#pragma once

#include "absl/time/time.h"

namespace gridsweep {

struct BackoffPolicy {
  absl::Duration base = absl::Seconds(1);  // ceiling of the first delay
  absl::Duration cap = absl::Minutes(1);   // ceiling of every delay
};

// unit · min(cap, base · 2^failures) for `unit` in [0, 1); cannot overflow. failures counts from 0.
absl::Duration BackoffDelay(const BackoffPolicy& policy, int failures, double unit);

}  // namespace gridsweep
