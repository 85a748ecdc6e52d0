#include "coordinator/net/listening_sockets.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <set>
#include <utility>

namespace gridsweep {
namespace {

// A crowd that comes back after a restart finds room, as far as the system's somaxconn allows.
constexpr int kBacklog = 4096;

constexpr int kMostTries = 10;

// The socket, or minus the error.
int BindOne(const addrinfo& to, int port) {
  sockaddr_storage address{};
  std::memcpy(&address, to.ai_addr, to.ai_addrlen);
  const uint16_t network_port = htons(static_cast<uint16_t>(port));
  if (to.ai_family == AF_INET6) {
    reinterpret_cast<sockaddr_in6&>(address).sin6_port = network_port;
  } else {
    reinterpret_cast<sockaddr_in&>(address).sin_port = network_port;
  }
  const int file = socket(to.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (file < 0) return -errno;
  const int on = 1;
  // Connections of a coordinator that has just ended must not keep the next one away. (Not SO_REUSEPORT: two coordinators would
  // share the port's connections.)
  setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(file, reinterpret_cast<const sockaddr*>(&address), to.ai_addrlen) == 0 &&
      listen(file, kBacklog) == 0)
    return file;
  const int error = errno;
  close(file);
  return -error;
}

int PortOf(int file) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getsockname(file, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  return ntohs(address.ss_family == AF_INET6 ? reinterpret_cast<const sockaddr_in6&>(address).sin6_port
                                             : reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

}  // namespace

absl::StatusOr<ListeningSockets> ListeningSockets::Bind(const std::string& address) {
  GS_ASSIGN_OR_RETURN(const HostPort wanted, ParseAddress("address to listen on", address));
  for (int tries = 1;; ++tries) {
    absl::StatusOr<ListeningSockets> bound = BindAll(wanted, address);
    // A port that is free on one address may be in use on the next.
    if (bound.ok() || wanted.port != 0 || tries == kMostTries) return bound;
  }
}

absl::StatusOr<ListeningSockets> ListeningSockets::BindAll(const HostPort& wanted,
                                                           const std::string& address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const int code = getaddrinfo(wanted.host.c_str(), nullptr, &hints, &found);
  if (code != 0) return Unavailable("cannot listen on '{}': {}", address, gai_strerror(code));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(found, freeaddrinfo);

  ListeningSockets sockets;
  sockets.port_ = wanted.port;
  int error = 0;
  std::set<std::string> bound;  // a name may be listed twice with the same address
  for (const addrinfo* each = addresses.get(); each != nullptr; each = each->ai_next) {
    if (!bound.emplace(reinterpret_cast<const char*>(each->ai_addr), each->ai_addrlen).second) continue;
    const int file = BindOne(*each, sockets.port_);
    if (file < 0) {
      if (error != EADDRINUSE) error = -file;
      continue;
    }
    sockets.files_.push_back(file);
    sockets.port_ = PortOf(file);
  }
  if (sockets.files_.empty() || error == EADDRINUSE) {
    return Unavailable("cannot listen on '{}': {}; is the address in use, or not of this machine?", address,
                       std::strerror(error));
  }
  return sockets;
}

ListeningSockets::ListeningSockets(ListeningSockets&& other) noexcept
    : files_(std::exchange(other.files_, {})), port_(other.port_) {}

ListeningSockets::~ListeningSockets() {
  for (const int file : files_) close(file);
}

}  // namespace gridsweep
