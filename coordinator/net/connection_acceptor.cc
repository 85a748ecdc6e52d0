#include "coordinator/net/connection_acceptor.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

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

int64_t MostFiles(int64_t most_connections) {
  return std::min(CountOpenFiles() + most_connections, FileLimit() - kReservedFiles);
}

}  // namespace

absl::Status CheckFileLimit() {
  const int64_t needed = CountOpenFiles() + 2 * kReservedFiles;
  if (FileLimit() >= needed) return absl::OkStatus();
  return FailedPrecondition(
      "this process may have {} files open, and needs {} to serve anyone; raise ulimit -n, or LimitNOFILE= of its unit",
      FileLimit(), needed);
}

ConnectionAcceptor::ConnectionAcceptor(ListeningSockets sockets, int64_t most_connections,
                                       std::function<void(int, int)> take)
    : take_(std::move(take)),
      stop_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      most_files_(MostFiles(most_connections)),
      thread_([this, moved = std::move(sockets)]() mutable { Run(std::move(moved)); }) {}

ConnectionAcceptor::~ConnectionAcceptor() {
  Stop();
  close(stop_);
}

void ConnectionAcceptor::Stop() {
  const uint64_t one = 1;
  static_cast<void>(!write(stop_, &one, sizeof one));  // cannot fail: the counter is not full
  if (thread_.joinable()) thread_.join();
}

void ConnectionAcceptor::Run(ListeningSockets sockets) {
  std::vector<pollfd> waiting{{.fd = stop_, .events = POLLIN, .revents = 0}};
  for (const int file : sockets.files()) waiting.push_back({.fd = file, .events = POLLIN, .revents = 0});
  while (true) {
    const bool has_room = !std::exchange(refused_, false) && HasRoom();
    NoteFull(!has_room);
    // Without room only for the end: whether another connection has ended nobody tells.
    const int ready =
        has_room ? poll(waiting.data(), waiting.size(), -1) : poll(waiting.data(), 1, kLookAgainMs);
    if (waiting[0].revents != 0) return;
    if (ready <= 0 || !has_room) continue;
    for (size_t i = 1; i < waiting.size(); ++i) {
      if (waiting[i].revents != 0) AcceptFrom(waiting[i].fd);
    }
  }
}

bool ConnectionAcceptor::HasRoom() {
  // Counted anew only when all those files could be in use that were free before.
  if (room_ <= 0) room_ = most_files_ - CountOpenFiles();
  return room_ > 0;
}

void ConnectionAcceptor::AcceptFrom(int listener) {
  while (HasRoom()) {
    const int connection = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (connection >= 0) {
      --room_;
      const int on = 1;
      setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
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
        {{"files", CountOpenFiles()}, {"limit", most_files_}, {"effect", "new connections wait"}});
  } else {
    Log(LogLevel::kInfo, "connections_have_room");
  }
}

}  // namespace gridsweep
