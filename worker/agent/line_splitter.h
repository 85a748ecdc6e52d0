// Cuts a byte stream into lines, keeping at most one line in memory.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace gridsweep::agent {

class LineSplitter {
 public:
  explicit LineSplitter(size_t max_line_bytes) : max_line_bytes_(max_line_bytes) {}

  // Calls `on_line` for each line that `bytes` completes, without its newline. Returns false, for this and
  // every later call, once a line is longer than the limit.
  bool Feed(std::string_view bytes, const std::function<void(std::string_view)>& on_line);

 private:
  const size_t max_line_bytes_;
  std::string partial_;
  bool overflowed_ = false;
};

}  // namespace gridsweep::agent
