#include "common/sweep/sweep_source.h"

#include <algorithm>

namespace gridsweep {

std::string SweepSource::Place(SourcePosition at) const {
  size_t start = 0;
  for (int line = 0; line < at.line && start != std::string_view::npos; ++line) {
    start = text_.find('\n', start);
    if (start != std::string_view::npos) ++start;
  }
  int column = 1;
  if (start < text_.size()) {
    // A character is one byte that does not continue another.
    for (const char c : text_.substr(start, static_cast<size_t>(at.column))) {
      column += (static_cast<unsigned char>(c) & 0xc0) != 0x80 ? 1 : 0;
    }
  }
  return fmt::format("{}:{}:{}: ", file_, at.line + 1, column);
}

absl::Status SweepSource::Error(SourcePosition at, const std::string& message) const {
  return InvalidArgument("{}{}", Place(at), message);
}

absl::Status SweepSource::TooLarge(SourcePosition at, const std::string& message) const {
  return ResourceExhausted("{}{}", Place(at), message);
}

}  // namespace gridsweep
