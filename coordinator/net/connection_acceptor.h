// Takes connections, as many as there is room for.
//
// gRPC 1.51 could do so itself, but knows no limit, and once the process has run out of files it never accepts a connection
// again (CVE-2023-4785).
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>

#include "coordinator/net/listening_sockets.h"

namespace gridsweep {

// FAILED_PRECONDITION when the process may open so few files that it could hardly take a connection, or when the system does
// not tell how many are open.
absl::Status CheckFileLimit();

class ConnectionAcceptor {
 public:
  // Beyond about `most_connections` (within 64), or where files would run out that the store needs, new connections wait in the
  // system's queue until others end. `take` gets each connection, nonblocking, with its listening socket, on the acceptor's
  // thread.
  ConnectionAcceptor(ListeningSockets sockets, int64_t most_connections,
                     std::function<void(int listener, int connection)> take);
  // As Stop().
  ~ConnectionAcceptor();
  ConnectionAcceptor(const ConnectionAcceptor&) = delete;
  ConnectionAcceptor& operator=(const ConnectionAcceptor&) = delete;

  // Takes no more, and refuses those that come. Idempotent.
  void Stop();

 private:
  void Run();
  // Whether another connection may be taken.
  bool HasRoom();
  void AcceptFrom(int listener);
  void NoteFull(bool full);

  const ListeningSockets sockets_;
  const std::function<void(int, int)> take_;
  const int64_t most_files_;  // that the process may have open
  std::atomic<bool> stopping_{false};
  // Of the thread:
  int64_t room_ = 0;      // connections that may be taken before files are counted again
  bool refused_ = false;  // by the system, whatever the count says
  bool full_ = false;
  std::thread thread_;
};

}  // namespace gridsweep
