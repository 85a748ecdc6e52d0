#include "worker/agent/output_tail.h"

#include "worker/agent/utf8_text.h"

namespace gridsweep::agent {

void OutputTail::Append(std::string_view bytes) {
  if (bytes.size() > kMaxBytes) bytes.remove_prefix(bytes.size() - kMaxBytes);
  bytes_ += bytes;
  if (bytes_.size() > 2 * kMaxBytes) bytes_.erase(0, bytes_.size() - kMaxBytes);
}

std::string OutputTail::Text() const {
  std::string_view text = bytes_;
  if (text.size() > kMaxBytes) text.remove_prefix(text.size() - kMaxBytes);
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  size_t start = text.size();
  for (int lines = 0; lines < kMaxLines && start != 0; ++lines) {
    const size_t newline = text.rfind('\n', start - 1);
    if (newline == std::string_view::npos) {
      start = 0;
      break;
    }
    if (lines + 1 == kMaxLines) {
      start = newline + 1;
      break;
    }
    start = newline;
  }
  return ValidUtf8(text.substr(start), kMaxBytes);
}

}  // namespace gridsweep::agent
