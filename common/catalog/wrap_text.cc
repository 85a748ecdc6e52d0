#include "common/catalog/wrap_text.h"

#include <algorithm>

namespace gridsweep {

size_t TextWidth(std::string_view text) {
  return static_cast<size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string Padded(std::string_view text, size_t width) {
  const size_t taken = TextWidth(text);
  std::string padded(text);
  if (taken < width) padded.append(width - taken, ' ');
  return padded;
}

std::string Wrapped(std::string_view lead, std::string_view text, size_t width) {
  const size_t indent = TextWidth(lead);
  std::string out(lead);
  size_t column = indent;
  bool line_is_empty = true;
  while (!text.empty()) {
    const size_t space = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, space);
    text.remove_prefix(std::min(space + 1, text.size()));
    if (!line_is_empty && column + 1 + TextWidth(word) > width) {
      out += '\n';
      out.append(indent, ' ');
      column = indent;
      line_is_empty = true;
    }
    if (!line_is_empty) {
      out += ' ';
      ++column;
    }
    out += word;
    column += TextWidth(word);
    line_is_empty = false;
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out + "\n";
}

}  // namespace gridsweep
