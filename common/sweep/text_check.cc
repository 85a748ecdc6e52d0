#include "common/sweep/text_check.h"

namespace gridsweep {
namespace {

// Length of the well-formed UTF-8 sequence at text[at] (Unicode 15, table 3-7), or 0.
size_t Utf8Length(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(at);
  if (lead < 0x80) return 1;
  const size_t length = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  if (length == 0 || at + length > text.size()) return 0;
  // The second byte's range excludes overlong forms, surrogates and values beyond U+10FFFF.
  const unsigned char low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  const unsigned char high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (byte(at + 1) < low || byte(at + 1) > high) return 0;
  for (size_t i = 2; i < length; ++i) {
    if ((byte(at + i) & 0xc0) != 0x80) return 0;
  }
  return length;
}

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
