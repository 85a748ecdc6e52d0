// Sockets that listen.
#pragma once

#include <string>
#include <vector>

#include "common/base/status.h"

namespace gridsweep {

class ListeningSockets {
 public:
  // Binds every address of `address`'s host (HOST:PORT; port 0: one that is free), of which one at least must work, and listens.
  // UNAVAILABLE, saying why, when the address is in use or not of this machine.
  static absl::StatusOr<ListeningSockets> Bind(const std::string& address);
  ListeningSockets(ListeningSockets&& other) noexcept;
  ListeningSockets& operator=(ListeningSockets&&) = delete;
  ~ListeningSockets();

  // Nonblocking.
  const std::vector<int>& files() const { return files_; }
  int port() const { return port_; }

 private:
  ListeningSockets() = default;

  std::vector<int> files_;
  int port_ = 0;
};

}  // namespace gridsweep
