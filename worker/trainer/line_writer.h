// The only way to stdout.
#pragma once

#include <functional>
#include <mutex>

#include "common/base/json.h"

namespace gridsweep {

// Writes whole lines to a file descriptor, unbuffered. Thread-safe.
class LineWriter {
 public:
  // `on_broken` is called when nobody reads any more (EPIPE) or writing fails, on the thread that noticed it.
  LineWriter(int fd, std::function<void()> on_broken) : fd_(fd), on_broken_(std::move(on_broken)) {}

  void Write(const Json& line);

 private:
  const int fd_;
  const std::function<void()> on_broken_;
  std::mutex mutex_;
};

}  // namespace gridsweep
