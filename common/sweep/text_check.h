// What a text must be before the YAML parser sees it.
#pragma once

#include "common/sweep/sweep_source.h"

namespace gridsweep {

// The parser needs up to 0.4 µs a byte, and memory for every bracket that it has not seen closed; these
// limits keep any text, however hostile, below 100 ms and a few MiB.
inline constexpr size_t kMaxSweepBytes = 256 * 1024;
inline constexpr int kMaxOpenBrackets = 1'000;
inline constexpr int kMaxSeparators = 60'000;

// Returns INVALID_ARGUMENT with the place if the text is too large, empty, not UTF-8, holds control
// characters, or has more brackets or separators than a sweep file can need. Linear, and allocates nothing
// but the message.
absl::Status CheckText(const SweepSource& source);

}  // namespace gridsweep
