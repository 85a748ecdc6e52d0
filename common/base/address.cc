#include "common/base/address.h"

#include <charconv>

namespace gridsweep {

absl::Status CheckAddress(std::string_view what, const std::string& address) {
  const size_t colon = address.rfind(':');
  if (colon != std::string::npos && colon > 0) {
    int port = -1;
    const char* const end = address.data() + address.size();
    const auto [rest, error] = std::from_chars(address.data() + colon + 1, end, port);
    if (error == std::errc() && rest == end && port >= 0 && port <= 65535) return absl::OkStatus();
  }
  return InvalidArgument(
      "{} '{}' is malformed, expected HOST:PORT with a port of 0 to 65535, e.g. 127.0.0.1:7077", what,
      address);
}

}  // namespace gridsweep
