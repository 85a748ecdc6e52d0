// A TCP proxy between workers and coordinator that loses answers: the request arrives and is carried out, its answer does
// not come back.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace gridsweep {

// Thread-safe. Understands just enough of HTTP/2 to know where an answer begins.
class TcpProxy {
 public:
  // Listens on a free port of the loopback interface. `target` is "127.0.0.1:PORT"; a connection is closed at once while
  // nothing listens there.
  explicit TcpProxy(const std::string& target);
  // Closes all connections.
  ~TcpProxy();
  TcpProxy(const TcpProxy&) = delete;
  TcpProxy& operator=(const TcpProxy&) = delete;

  // "127.0.0.1:PORT".
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

  // Each of the next `count` answers is thrown away, and its connection closed.
  void LoseAnswers(int count) { to_lose_ += count; }
  // Answers lost so far.
  int lost() const { return lost_; }
  // That came in from clients, on all connections.
  int64_t bytes_from_clients() const { return bytes_from_clients_; }

 private:
  void Accept();
  void Serve(int client);

  const int target_port_;
  int listener_ = -1;
  int wake_ = -1;  // eventfd: readable when everything must end
  int port_ = 0;
  std::atomic<int> to_lose_{0};
  std::atomic<int> lost_{0};
  std::atomic<int64_t> bytes_from_clients_{0};
  std::mutex mutex_;
  std::vector<std::thread> connections_;  // guarded by mutex_
  std::thread acceptor_;
};

}  // namespace gridsweep
