// The text of a sweep file and messages that point into it.
#pragma once

#include <string>
#include <string_view>

#include "common/base/status.h"

namespace gridsweep {

// A place in a text: lines and bytes within a line, both counted from 0.
struct SourcePosition {
  int line = 0;
  int column = 0;
};

// Borrows both strings.
class SweepSource {
 public:
  SweepSource(std::string_view text, std::string_view file) : text_(text), file_(file) {}

  std::string_view text() const { return text_; }

  // "file:line:column: ", counted from 1, columns in characters.
  std::string Place(SourcePosition at) const;
  // INVALID_ARGUMENT "file:line:column: message".
  absl::Status Error(SourcePosition at, const std::string& message) const;
  // RESOURCE_EXHAUSTED, for a grid over a limit.
  absl::Status TooLarge(SourcePosition at, const std::string& message) const;

 private:
  std::string_view text_;
  std::string_view file_;
};

}  // namespace gridsweep
