// Untrusted text inside one-line messages.
#pragma once

#include <string>
#include <string_view>

namespace gridsweep {

// Length of the well-formed UTF-8 sequence at text[at] (Unicode 15, table 3-7), or 0. REQUIRES: at < text.size().
size_t Utf8Length(std::string_view text, size_t at);

// `text` in single quotes, with control characters and invalid UTF-8 as \xNN and everything beyond
// `max_bytes` cut off and marked with "…". Safe for a terminal and a log line.
std::string Quoted(std::string_view text, size_t max_bytes = 60);

}  // namespace gridsweep
