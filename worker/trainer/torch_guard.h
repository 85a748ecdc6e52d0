// The adapter at which LibTorch's exceptions stop.
#pragma once

#include <exception>
#include <utility>

#include "common/base/status.h"

namespace gridsweep {

// RESOURCE_EXHAUSTED if `error` says that the memory of the host or the device is used up, ABORTED if the
// device can no longer be used by this process (a CUDA error other than out of memory), INTERNAL otherwise.
// The message is one line, without LibTorch's C++ backtrace.
absl::Status StatusFromException(const std::exception& error);

// What `run` returns (absl::Status or absl::StatusOr), or the status of the exception it throws.
template <typename Run>
auto GuardTorch(Run&& run) -> decltype(run()) {
  try {
    return std::forward<Run>(run)();
  } catch (const std::exception& error) {
    return StatusFromException(error);
  }
}

}  // namespace gridsweep
