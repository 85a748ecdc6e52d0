// Sockets that listen.
#pragma once

#include <string>
#include <vector>

#include "common/base/address.h"
#include "common/base/status.h"

namespace gridsweep {

class ListeningSockets {
 public:
  // Binds every address of `address`'s host (HOST:PORT; port 0: one that is free for all) and listens. A host may have addresses
  // that are not of this machine, such as those of IPv6 where there is none, but one must work. UNAVAILABLE, saying why, when
  // none does or the port is in use on any.
  static absl::StatusOr<ListeningSockets> Bind(const std::string& address);
  ListeningSockets(ListeningSockets&& other) noexcept;
  ListeningSockets& operator=(ListeningSockets&&) = delete;
  ~ListeningSockets();

  // Nonblocking.
  const std::vector<int>& files() const { return files_; }
  int port() const { return port_; }

 private:
  ListeningSockets() = default;
  static absl::StatusOr<ListeningSockets> BindAll(const HostPort& wanted, const std::string& address);

  std::vector<int> files_;
  int port_ = 0;
};

}  // namespace gridsweep
