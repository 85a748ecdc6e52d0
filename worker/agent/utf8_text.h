// Text from outside, made fit for a message: protobuf refuses strings that are not UTF-8.
#pragma once

#include <string>
#include <string_view>

namespace gridsweep::agent {

// At most the first `max_bytes` bytes of `text`, with every byte that is not part of a UTF-8 character
// replaced by U+FFFD (which may make the result longer, up to three times).
std::string ValidUtf8(std::string_view text, size_t max_bytes);

}  // namespace gridsweep::agent
