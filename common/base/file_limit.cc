#include "common/base/file_limit.h"

#include <sys/resource.h>

#include <limits>

namespace gridsweep {

int64_t RaiseFileLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  if (limit.rlim_cur < limit.rlim_max) {
    const rlimit raised{.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
    if (setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  }
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  return limit.rlim_cur > static_cast<rlim_t>(kMost) ? kMost : static_cast<int64_t>(limit.rlim_cur);
}

}  // namespace gridsweep
