#include "tests/support/http_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>

#include "common/base/status.h"

namespace gridsweep {
namespace {

bool SendAll(int client, std::string_view data) {
  while (!data.empty()) {
    const ssize_t sent = send(client, data.data(), data.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    data.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

std::string ReadHead(int client) {
  std::string head;
  char chunk[1024];
  while (head.find("\r\n\r\n") == std::string::npos) {
    const ssize_t got = recv(client, chunk, sizeof(chunk), 0);
    if (got <= 0) break;
    head.append(chunk, static_cast<size_t>(got));
  }
  return head;
}

std::string RangeOf(const std::string& head) {
  const std::string key = "Range: ";
  const size_t at = head.find(key);
  if (at == std::string::npos) return "";
  const size_t begin = at + key.size();
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

}  // namespace

HttpServer::HttpServer(std::string body, std::vector<HttpFault> script, bool ignore_range)
    : body_(std::move(body)), script_(std::move(script)), ignore_range_(ignore_range) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener_, generic, size) != 0 || listen(listener_, 16) != 0 ||
      getsockname(listener_, generic, &size) != 0) {
    throw std::runtime_error("cannot listen");
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Serve(); });
}

HttpServer::~HttpServer() {
  stopping_ = true;
  thread_.join();
  close(listener_);
}

std::string HttpServer::Url() const {
  return fmt::format("http://127.0.0.1:{}/gzip.zip", port_);
}

std::vector<std::string> HttpServer::Ranges() const {
  const std::lock_guard lock(mutex_);
  return ranges_;
}

void HttpServer::Serve() {
  while (!stopping_) {
    pollfd ready{.fd = listener_, .events = POLLIN, .revents = 0};
    if (poll(&ready, 1, 20) != 1) continue;
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0) continue;
    Answer(client);
    close(client);
  }
}

void HttpServer::Answer(int client) {
  const std::string range = RangeOf(ReadHead(client));
  size_t number = 0;
  {
    const std::lock_guard lock(mutex_);
    number = ranges_.size();
    ranges_.push_back(range);
  }
  const HttpFault fault = number < script_.size() ? script_[number] : HttpFault{};
  if (fault.kind == HttpFault::kStatus) {
    SendAll(client,
            fmt::format("HTTP/1.1 {} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", fault.bytes));
    return;
  }
  if (fault.kind == HttpFault::kRedirect) {
    SendAll(
        client,
        fmt::format("HTTP/1.1 302 Found\r\nLocation: {}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                    fault.location));
    return;
  }
  size_t begin = 0;
  if (!range.empty() && !ignore_range_) begin = std::strtoull(range.c_str() + 6, nullptr, 10);
  if (begin > 0 && begin >= body_.size()) {
    SendAll(client, "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    return;
  }
  std::string content = body_.substr(begin);
  std::string head = begin > 0
                         ? fmt::format("HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {}-{}/{}\r\n",
                                       begin, body_.size() - 1, body_.size())
                         : "HTTP/1.1 200 OK\r\n";
  head += fmt::format("Content-Length: {}\r\nConnection: close\r\n\r\n", content.size());
  if (fault.kind == HttpFault::kCorrupt && fault.bytes < content.size()) content[fault.bytes] ^= 0x40;
  if (fault.kind == HttpFault::kTruncate || fault.kind == HttpFault::kStall) content.resize(fault.bytes);
  if (!SendAll(client, head + content)) return;
  if (fault.kind != HttpFault::kStall) return;
  // Until the client hangs up.
  char byte;
  pollfd closed{.fd = client, .events = POLLIN, .revents = 0};
  while (!stopping_ && (poll(&closed, 1, 20) != 1 || recv(client, &byte, 1, 0) > 0)) {
  }
}

}  // namespace gridsweep
