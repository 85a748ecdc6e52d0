#include "common/base/backoff.h"

#include <algorithm>

namespace gridsweep {

absl::Duration BackoffDelay(const BackoffPolicy& policy, int failures, double unit) {
  absl::Duration ceiling = policy.base;
  for (int i = 0; i < failures && ceiling < policy.cap; ++i) ceiling *= 2;
  return unit * std::min(ceiling, policy.cap);
}

}  // namespace gridsweep
