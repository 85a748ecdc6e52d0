// HTTP over a plain socket, for tests of servers: what is sent is what the test says, to the byte.
#pragma once

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <string>

namespace gridsweep {

// One connection to 127.0.0.1:PORT of "HOST:PORT".
class HttpStream {
 public:
  HttpStream(const std::string& address, const std::string& request)
      : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    // A server that says nothing for so long is not going to.
    const timeval patience = {.tv_sec = 60, .tv_usec = 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    connected_ =
        connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0 &&
        send(fd_, request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size());
  }
  ~HttpStream() { close(fd_); }
  HttpStream(const HttpStream&) = delete;
  HttpStream& operator=(const HttpStream&) = delete;

  // False if the server ends first.
  bool ReadUntil(const std::string& text) {
    char piece[16384];
    while (connected_ && received_.find(text) == std::string::npos) {
      const ssize_t got = recv(fd_, piece, sizeof piece, 0);
      if (got <= 0) return false;
      received_.append(piece, static_cast<size_t>(got));
    }
    return connected_;
  }
  // All that the server sends until it hangs up.
  const std::string& ReadAll() {
    while (connected_) {
      char piece[16384];
      const ssize_t got = recv(fd_, piece, sizeof piece, 0);
      if (got <= 0) break;
      received_.append(piece, static_cast<size_t>(got));
    }
    return received_;
  }
  const std::string& received() const { return received_; }

 private:
  const int fd_;
  bool connected_ = false;
  std::string received_;
};

// Sends `request` and returns all that comes back; empty if nobody listens.
inline std::string ExchangeHttp(const std::string& address, const std::string& request) {
  return HttpStream(address, request).ReadAll();
}

inline std::string HttpBody(const std::string& answer) {
  const size_t end = answer.find("\r\n\r\n");
  return end == std::string::npos ? "" : answer.substr(end + 4);
}

}  // namespace gridsweep
