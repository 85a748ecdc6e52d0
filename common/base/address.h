// Network addresses as users give them.
#pragma once

#include <string>

#include "common/base/status.h"

namespace gridsweep {

struct HostPort {
  std::string host;  // of an IPv6 address without its brackets
  int port = 0;
};

// HOST:PORT with a port of 0 to 65535. Returns INVALID_ARGUMENT saying what was expected; `what` names the address
// in the message, as in "coordinator address".
absl::StatusOr<HostPort> ParseAddress(std::string_view what, const std::string& address);
absl::Status CheckAddress(std::string_view what, const std::string& address);

}  // namespace gridsweep
