#include "tests/support/tcp_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <stdexcept>

namespace gridsweep {
namespace {

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

int Connect(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(port);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) return fd;
  close(fd);
  return -1;
}

bool SendAll(int fd, const char* data, size_t size) {
  while (size > 0) {
    const ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    data += sent;
    size -= static_cast<size_t>(sent);
  }
  return true;
}

// Walks the frames of the server's half of an HTTP/2 connection (RFC 9113, section 4.1).
class FrameScanner {
 public:
  // Whether the header of a HEADERS frame, with which every answer begins, ends within these bytes.
  bool SeesAnswer(const char* data, size_t size) {
    bool seen = false;
    for (size_t i = 0; i < size; ++i) {
      if (payload_left_ > 0) {
        --payload_left_;
        continue;
      }
      header_[header_size_++] = static_cast<unsigned char>(data[i]);
      if (header_size_ < sizeof(header_)) continue;
      header_size_ = 0;
      payload_left_ =
          (static_cast<size_t>(header_[0]) << 16) | (static_cast<size_t>(header_[1]) << 8) | header_[2];
      seen = seen || header_[3] == kHeaders;
    }
    return seen;
  }

 private:
  static constexpr unsigned char kHeaders = 1;
  unsigned char header_[9];
  size_t header_size_ = 0;
  size_t payload_left_ = 0;
};

bool TakeOne(std::atomic<int>& count) {
  int value = count;
  while (value > 0) {
    if (count.compare_exchange_weak(value, value - 1)) return true;
  }
  return false;
}

}  // namespace

TcpProxy::TcpProxy(const std::string& target)
    : target_port_(std::stoi(target.substr(target.rfind(':') + 1))) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof(address);
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listener_, 64) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error(std::string("proxy cannot listen: ") + std::strerror(errno));
  }
  port_ = ntohs(address.sin_port);
  wake_ = eventfd(0, EFD_CLOEXEC);
  acceptor_ = std::thread([this] { Accept(); });
}

TcpProxy::~TcpProxy() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(wake_, &one, sizeof(one));
  acceptor_.join();
  for (std::thread& connection : connections_) connection.join();
  close(listener_);
  close(wake_);
}

void TcpProxy::Accept() {
  while (true) {
    pollfd fds[] = {{listener_, POLLIN, 0}, {wake_, POLLIN, 0}};
    if (poll(fds, 2, -1) < 0) continue;
    if (fds[1].revents != 0) return;
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) continue;
    const std::lock_guard lock(mutex_);
    connections_.emplace_back([this, client] { Serve(client); });
  }
}

void TcpProxy::Serve(int client) {
  const int server = Connect(target_port_);
  FrameScanner frames;
  char buffer[1 << 16];
  while (server >= 0) {
    pollfd fds[] = {{client, POLLIN, 0}, {server, POLLIN, 0}, {wake_, POLLIN, 0}};
    if (poll(fds, 3, -1) < 0) continue;
    if (fds[2].revents != 0) break;
    if (fds[0].revents != 0) {
      const ssize_t got = read(client, buffer, sizeof(buffer));
      if (got > 0) bytes_from_clients_ += got;
      if (got <= 0 || !SendAll(server, buffer, static_cast<size_t>(got))) break;
    }
    if (fds[1].revents != 0) {
      const ssize_t got = read(server, buffer, sizeof(buffer));
      if (got <= 0) break;
      if (frames.SeesAnswer(buffer, static_cast<size_t>(got)) && TakeOne(to_lose_)) {
        ++lost_;
        break;
      }
      if (!SendAll(client, buffer, static_cast<size_t>(got))) break;
    }
  }
  if (server >= 0) close(server);
  close(client);
}

}  // namespace gridsweep
