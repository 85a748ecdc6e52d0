#include "common/base/address.h"

#include <charconv>

namespace gridsweep {

absl::StatusOr<HostPort> ParseAddress(std::string_view what, const std::string& address) {
  const size_t colon = address.rfind(':');
  if (colon != std::string::npos && colon > 0) {
    HostPort parsed{.host = address.substr(0, colon), .port = -1};
    const char* const end = address.data() + address.size();
    const auto [rest, error] = std::from_chars(address.data() + colon + 1, end, parsed.port);
    const bool bracketed = parsed.host.starts_with('[') && parsed.host.ends_with(']');
    if (bracketed) parsed.host = parsed.host.substr(1, parsed.host.size() - 2);
    if (error == std::errc() && rest == end && parsed.port >= 0 && parsed.port <= 65535) return parsed;
  }
  return InvalidArgument(
      "{} '{}' is malformed, expected HOST:PORT with a port of 0 to 65535, e.g. 127.0.0.1:7077", what,
      address);
}

absl::Status CheckAddress(std::string_view what, const std::string& address) {
  return ParseAddress(what, address).status();
}

}  // namespace gridsweep
