// An HTTP/1.1 server for one body, with faults on demand; for download tests.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace gridsweep {

// What happens to one request; requests beyond the script are served well.
struct HttpFault {
  enum Kind {
    kNone,
    kTruncate,  // announces everything, sends `bytes`, closes
    kStall,     // announces everything, sends `bytes`, then nothing until the client gives up
    kCorrupt,   // flips a byte at `bytes`
    kStatus,    // answers with status `bytes`
    kRedirect,  // to `location`
  } kind = kNone;
  size_t bytes = 0;
  std::string location = "";
};

// Listens on a free port of 127.0.0.1 from construction to destruction. One request a connection, one connection at a
// time. Thread-safe.
class HttpServer {
 public:
  HttpServer(std::string body, std::vector<HttpFault> script, bool ignore_range = false);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  std::string Url() const;
  // The value of each request's Range header, empty where there was none.
  std::vector<std::string> Ranges() const;

 private:
  void Serve();
  void Answer(int client);

  const std::string body_;
  const std::vector<HttpFault> script_;
  const bool ignore_range_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stopping_ = false;
  mutable std::mutex mutex_;
  std::vector<std::string> ranges_;  // guarded by mutex_
  std::thread thread_;               // last: it uses everything above
};

}  // namespace gridsweep
