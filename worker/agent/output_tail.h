// The last lines of a stream of any length, in bounded memory.
#pragma once

#include <string>
#include <string_view>

namespace gridsweep::agent {

class OutputTail {
 public:
  static constexpr size_t kMaxBytes = 16 << 10;
  static constexpr int kMaxLines = 50;

  void Append(std::string_view bytes);
  // The last kMaxLines lines or kMaxBytes bytes, whichever is less, as valid UTF-8.
  std::string Text() const;

 private:
  std::string bytes_;  // at most 2 * kMaxBytes, so that trimming is rare
};

}  // namespace gridsweep::agent
