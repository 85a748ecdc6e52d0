// A TCP proxy between workers and coordinator that loses answers (the request arrives and is carried out, its answer does
// not come back), freezes (nothing gets through and no connection ends: a partition, or a dead line), and says everything
// again.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
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

  // From now on nothing gets through in the directions named, nor is it lost: it arrives after Thaw, however late.
  void Freeze(bool requests = true, bool answers = true);
  void Thaw() { Freeze(false, false); }

  // Sends all requests of all connections so far once more, each connection's over a new one, the newest connection first,
  // and waits for their answers. Returns how many requests were answered, -1 if the target hung up before.
  int Replay();

 private:
  // What a client has said on one connection.
  struct Recording {
    std::string bytes;
    int requests = 0;
  };

  void Accept();
  void Serve(int client);
  int Replay(const Recording& recording) const;

  const int target_port_;
  int listener_ = -1;
  int wake_ = -1;  // eventfd: readable when everything must end
  int port_ = 0;
  std::atomic<int> to_lose_{0};
  std::atomic<int> lost_{0};
  std::atomic<bool> requests_frozen_{false};
  std::atomic<bool> answers_frozen_{false};
  std::atomic<int64_t> bytes_from_clients_{0};
  std::mutex mutex_;
  std::vector<std::thread> connections_;  // guarded by mutex_
  std::deque<Recording> recordings_;      // likewise; their places do not change
  std::thread acceptor_;
};

}  // namespace gridsweep
