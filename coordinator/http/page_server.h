// A few pages over HTTP, for machines on this machine: a metrics collector, a health check. Never for the network: neither
// encrypted nor authenticated.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "common/base/status.h"

namespace gridsweep {

struct Page {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

// Answers GET, one request a connection, with few threads and short timeouts: whoever dawdles is hung up on. Thread-safe.
class PageServer {
 public:
  // Called on a thread of the server, also by two at a time.
  using Handler = std::function<Page()>;

  // Listens on `address`, HOST:PORT on loopback; port 0: any free one. `pages`: by path, "/metrics". INVALID_ARGUMENT if the
  // address is malformed, UNAVAILABLE if it cannot be bound.
  static absl::StatusOr<std::unique_ptr<PageServer>> Start(const std::string& address,
                                                           std::map<std::string, Handler> pages);
  // Finishes the requests in flight. Handlers are not called afterwards.
  ~PageServer();
  PageServer(const PageServer&) = delete;
  PageServer& operator=(const PageServer&) = delete;

  // With the port that was bound.
  const std::string& address() const { return address_; }

 private:
  struct Parts;
  explicit PageServer(std::unique_ptr<Parts> parts);

  const std::unique_ptr<Parts> parts_;
  std::string address_;
};

}  // namespace gridsweep
