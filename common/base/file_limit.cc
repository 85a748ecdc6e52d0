#include "common/base/file_limit.h"

#include <sys/resource.h>

#include <filesystem>
#include <iterator>
#include <limits>

namespace gridsweep {

int64_t RaiseFileLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
    const rlimit raised{.rlim_cur = limit.rlim_max, .rlim_max = limit.rlim_max};
    static_cast<void>(setrlimit(RLIMIT_NOFILE, &raised));  // FileLimit tells
  }
  return FileLimit();
}

int64_t FileLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  return limit.rlim_cur > static_cast<rlim_t>(kMost) ? kMost : static_cast<int64_t>(limit.rlim_cur);
}

std::optional<int64_t> CountOpenFiles() {
  std::error_code error;
  const std::filesystem::directory_iterator files("/proc/self/fd", error);
  if (error) return std::nullopt;
  return std::distance(begin(files), end(files)) - 1;  // one is the folder's own
}

}  // namespace gridsweep
