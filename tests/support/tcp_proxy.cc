#include "tests/support/tcp_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string_view>

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

// Types of frames, and a flag.
constexpr unsigned char kData = 0, kHeaders = 1, kReset = 3, kPing = 6;
constexpr unsigned char kEndStream = 1;

constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

// Walks the frames of one half of an HTTP/2 connection (RFC 9113, section 4.1), after the preface.
class FrameScanner {
 public:
  struct Seen {
    int headers = 0;  // HEADERS frames, with which every request and every answer begins
    int ends = 0;     // those that end an answer, and resets, which end one too
  };
  // What of these ended within these bytes: the frame's header counts.
  Seen Scan(std::string_view bytes) {
    Seen seen;
    for (const char byte : bytes) {
      if (payload_left_ > 0) {
        --payload_left_;
        continue;
      }
      header_[header_size_++] = static_cast<unsigned char>(byte);
      if (header_size_ < sizeof(header_)) continue;
      header_size_ = 0;
      payload_left_ =
          (static_cast<size_t>(header_[0]) << 16) | (static_cast<size_t>(header_[1]) << 8) | header_[2];
      const bool is_headers = header_[3] == kHeaders;
      seen.headers += is_headers ? 1 : 0;
      seen.ends += header_[3] == kReset || (is_headers && (header_[4] & kEndStream) != 0) ? 1 : 0;
    }
    return seen;
  }

 private:
  unsigned char header_[9];
  size_t header_size_ = 0;
  size_t payload_left_ = 0;
};

// A pause between two looks at whether the proxy has thawed.
constexpr int kFrozenPollMs = 5;
// For an answer to what is said again; only a test that fails takes this long.
constexpr int kReplayPollMs = 30'000;
// Requests under way at a time when they are said again: below what a server takes.
constexpr int kReplayWindow = 50;

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

void TcpProxy::Freeze(bool requests, bool answers) {
  requests_frozen_ = requests;
  answers_frozen_ = answers;
}

void TcpProxy::Serve(int client) {
  const int server = Connect(target_port_);
  FrameScanner answers, requests;
  size_t preface_left = kPreface.size();
  Recording* recording = nullptr;
  {
    const std::lock_guard lock(mutex_);
    recording = &recordings_.emplace_back();
  }
  char buffer[1 << 16];
  while (server >= 0) {
    const bool is_frozen = requests_frozen_ || answers_frozen_;
    pollfd fds[] = {{requests_frozen_ ? -1 : client, POLLIN, 0},
                    {answers_frozen_ ? -1 : server, POLLIN, 0},
                    {wake_, POLLIN, 0}};
    if (poll(fds, 3, is_frozen ? kFrozenPollMs : -1) < 0) continue;
    if (fds[2].revents != 0) break;
    if (fds[0].revents != 0 && !requests_frozen_) {
      const ssize_t got = read(client, buffer, sizeof(buffer));
      if (got <= 0) break;
      bytes_from_clients_ += got;
      const std::string_view bytes(buffer, static_cast<size_t>(got));
      {
        const std::lock_guard lock(mutex_);
        const size_t preface = std::min(preface_left, bytes.size());
        preface_left -= preface;
        recording->bytes += bytes;
        recording->requests += requests.Scan(bytes.substr(preface)).headers;
      }
      if (!SendAll(server, buffer, static_cast<size_t>(got))) break;
    }
    if (fds[1].revents != 0 && !answers_frozen_) {
      const ssize_t got = read(server, buffer, sizeof(buffer));
      if (got <= 0) break;
      if (answers.Scan({buffer, static_cast<size_t>(got)}).headers > 0 && TakeOne(to_lose_)) {
        ++lost_;
        break;
      }
      if (!SendAll(client, buffer, static_cast<size_t>(got))) break;
    }
  }
  if (server >= 0) close(server);
  close(client);
}

int TcpProxy::Replay() {
  std::deque<Recording> recordings;
  {
    const std::lock_guard lock(mutex_);
    recordings = recordings_;
  }
  int answered = 0;
  for (auto recording = recordings.rbegin(); recording != recordings.rend(); ++recording) {
    const int of_this = Replay(*recording);
    if (of_this < 0) return -1;
    answered += of_this;
  }
  return answered;
}

int TcpProxy::Replay(const Recording& recording) const {
  if (recording.requests == 0) return 0;
  const int server = Connect(target_port_);
  if (server < 0) return -1;
  FrameScanner answers;
  int asked = 0, answered = 0;
  char buffer[1 << 16];
  const auto await = [&](int wanted) {
    while (answered < wanted) {
      pollfd readable = {server, POLLIN, 0};
      const ssize_t got = poll(&readable, 1, kReplayPollMs) == 1 ? read(server, buffer, sizeof(buffer)) : 0;
      if (got <= 0) return false;
      answered += answers.Scan({buffer, static_cast<size_t>(got)}).ends;
    }
    return true;
  };
  std::string_view rest = recording.bytes;
  bool works = SendAll(server, rest.data(), kPreface.size());
  rest.remove_prefix(std::min(rest.size(), kPreface.size()));
  while (works && rest.size() >= 9) {
    const auto byte = [&](size_t i) { return static_cast<size_t>(static_cast<unsigned char>(rest[i])); };
    const size_t size = std::min(rest.size(), 9 + ((byte(0) << 16) | (byte(1) << 8) | byte(2)));
    const size_t type = byte(3);
    const bool ends = (type == kData || type == kHeaders) && (byte(4) & kEndStream) != 0;
    // What was taken back is said all the same. Pings come quicker than the server suffers them.
    const bool is_said = type != kReset && type != kPing;
    works = await(asked - kReplayWindow) && (!is_said || SendAll(server, rest.data(), size));
    // A request whose end was not recorded yet has no answer.
    asked += ends ? 1 : 0;
    rest.remove_prefix(size);
  }
  works = works && await(asked);
  close(server);
  return works ? answered : -1;
}

}  // namespace gridsweep
