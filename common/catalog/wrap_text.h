// Paragraphs for a terminal of a fixed width.
#pragma once

#include <string>
#include <string_view>

namespace gridsweep {

// Characters on a terminal: code points, so right for everything but double-width scripts and combining marks.
size_t TextWidth(std::string_view text);

// `text` padded with spaces to `width` characters.
std::string Padded(std::string_view text, size_t width);

// `lead` followed by `text`, broken at spaces so that no line is longer than `width`; the following lines are indented by
// the lead's width. A word that is longer than a line stays whole. Ends in a newline.
std::string Wrapped(std::string_view lead, std::string_view text, size_t width);

}  // namespace gridsweep
