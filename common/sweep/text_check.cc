#include "common/sweep/text_check.h"

#include "common/catalog/quote.h"

namespace gridsweep {
namespace {

bool IsControl(unsigned char c) {
  return (c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7f;
}

}  // namespace

absl::Status CheckText(const SweepSource& source) {
  const std::string_view text = source.text();
  if (text.size() > kMaxSweepBytes) {
    return source.Error({}, fmt::format("the file has {} bytes, more than the {} a sweep file may have",
                                        text.size(), kMaxSweepBytes));
  }
  SourcePosition at;
  int open = 0;
  int separators = 0;
  for (size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (IsControl(c)) {
      return source.Error(at, fmt::format("not a text file: byte 0x{:02x}, expected YAML in UTF-8", c));
    }
    const size_t length = Utf8Length(text, i);
    if (length == 0)
      return source.Error(at, fmt::format("not UTF-8: byte 0x{:02x}, expected YAML in UTF-8", c));
    // Brackets within quotes and comments count as well; no honest file comes near the limits.
    open += c == '[' || c == '{' ? 1 : (c == ']' || c == '}') && open > 0 ? -1 : 0;
    separators += c == ',' || c == ':' || c == '[' || c == '{' ? 1 : 0;
    if (open > kMaxOpenBrackets) {
      return source.Error(at,
                          fmt::format("more than {} open brackets, expected a sweep file", kMaxOpenBrackets));
    }
    if (separators > kMaxSeparators) {
      return source.Error(at, fmt::format("more than {} values, expected a sweep file", kMaxSeparators));
    }
    i += length;
    at.column += static_cast<int>(length);
    if (c == '\n') at = {at.line + 1, 0};
  }
  return absl::OkStatus();
}

}  // namespace gridsweep
