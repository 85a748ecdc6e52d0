#include "coordinator/net/connection_acceptor.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "common/base/file_limit.h"
#include "common/base/log.h"

namespace gridsweep {
namespace {

// For the store, its readers, and the files of jobs that come and go.
constexpr int64_t kReservedFiles = 64;

constexpr int kLookAgainMs = 200;

// What was sent has not been acknowledged for so long: the other end is gone. gRPC's keepalive does not notice when what it
// would say itself cannot be sent.
constexpr unsigned kUnacknowledgedMs = 20'000;

int64_t MostFiles(int64_t most_connections) {
  return std::min(CountOpenFiles().value_or(0) + kReservedFiles + most_connections,
                  FileLimit() - kReservedFiles);
}

}  // namespace

absl::Status CheckFileLimit() {
  const std::optional<int64_t> open = CountOpenFiles();
  if (!open) return FailedPrecondition("cannot count the open files of this process: is /proc mounted?");
  const int64_t needed = *open + 2 * kReservedFiles;
  if (FileLimit() >= needed) return absl::OkStatus();
  return FailedPrecondition(
      "this process may have {} files open, and needs {} to serve anyone; raise ulimit -n, or LimitNOFILE= of its unit",
      FileLimit(), needed);
}

ConnectionAcceptor::ConnectionAcceptor(ListeningSockets sockets, int64_t most_connections,
                                       std::function<void(int, int)> take)
    : sockets_(std::move(sockets)),
      take_(std::move(take)),
      most_files_(MostFiles(most_connections)),
      thread_([this] { Run(); }) {}

ConnectionAcceptor::~ConnectionAcceptor() {
  Stop();
}

void ConnectionAcceptor::Stop() {
  stopping_ = true;
  for (const int file : sockets_.files()) shutdown(file, SHUT_RDWR);  // wakes poll()
  if (thread_.joinable()) thread_.join();
}

void ConnectionAcceptor::Run() {
  std::vector<pollfd> listening;
  for (const int file : sockets_.files()) listening.push_back({.fd = file, .events = POLLIN, .revents = 0});
  while (!stopping_) {
    if (std::exchange(refused_, false) || !HasRoom()) {
      NoteFull(true);
      // Nobody tells when a connection has ended.
      poll(nullptr, 0, kLookAgainMs);
      continue;
    }
    if (poll(listening.data(), listening.size(), -1) <= 0) continue;
    for (const pollfd& each : listening) {
      if (each.revents != 0) AcceptFrom(each.fd);
    }
  }
}

bool ConnectionAcceptor::HasRoom() {
  // Counted anew only when all those files could be in use that were free before.
  if (room_ <= 0) room_ = most_files_ - CountOpenFiles().value_or(most_files_);
  return room_ > 0;
}

void ConnectionAcceptor::AcceptFrom(int listener) {
  while (HasRoom()) {
    const int connection = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (connection >= 0) {
      --room_;
      NoteFull(false);
      const int on = 1;
      setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      setsockopt(connection, IPPROTO_TCP, TCP_USER_TIMEOUT, &kUnacknowledgedMs, sizeof kUnacknowledgedMs);
      take_(listener, connection);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      refused_ = true;
      return;
    } else if (errno != EINTR && errno != ECONNABORTED) {
      return;
    }
  }
}

void ConnectionAcceptor::NoteFull(bool full) {
  if (std::exchange(full_, full) == full) return;
  if (full) {
    Log(LogLevel::kWarning, "connections_full",
        {{"files", CountOpenFiles().value_or(-1)},
         {"limit", most_files_},
         {"effect", "new connections wait"}});
  } else {
    Log(LogLevel::kInfo, "connections_have_room");
  }
}

}  // namespace gridsweep
