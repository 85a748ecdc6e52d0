#include "worker/agent/line_splitter.h"

namespace gridsweep::agent {

bool LineSplitter::Feed(std::string_view bytes, const std::function<void(std::string_view)>& on_line) {
  while (!overflowed_ && !bytes.empty()) {
    const size_t newline = bytes.find('\n');
    const std::string_view part = bytes.substr(0, newline);
    if (partial_.size() + part.size() > max_line_bytes_) {
      overflowed_ = true;
      partial_ = {};
      break;
    }
    if (newline == std::string_view::npos) {
      partial_ += part;
      break;
    }
    if (partial_.empty()) {
      on_line(part);
    } else {
      partial_ += part;
      on_line(partial_);
      partial_.clear();
    }
    bytes.remove_prefix(newline + 1);
  }
  return !overflowed_;
}

}  // namespace gridsweep::agent
