// How wide a UTF-8 text is on a terminal, and texts cut or padded to a width. Widths are in columns. Bytes
// that are not UTF-8 count as one replacement character each.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace gridsweep {

// 2 for East Asian wide characters and emoji, 0 for combining and invisible ones, 1 for the rest.
int CodePointWidth(char32_t code_point);

int DisplayWidth(std::string_view text);

// `text` if it fits into `width` columns, else its beginning and "…", at most `width` columns together. A
// combining mark is never parted from its letter.
std::string Truncate(std::string_view text, int width);

// Padded with spaces to `width` columns; unchanged if it is wider.
std::string PadRight(std::string_view text, int width);
std::string PadLeft(std::string_view text, int width);

// `text` in lines of at most `width` columns (0: in one), broken at spaces, the second and later ones indented; ends in a
// newline.
std::string WrapText(std::string_view text, int width);

// A code point and its bytes.
struct Character {
  char32_t code_point = 0;
  std::string_view bytes;
};
std::vector<Character> Characters(std::string_view text);

// On one line and without control characters (each becomes a space) or invalid UTF-8: safe to print on a
// terminal, whoever wrote it.
std::string Printable(std::string_view text);

}  // namespace gridsweep
