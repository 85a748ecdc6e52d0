#include "coordinator/http/page_server.h"

#include <httplib.h>
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <utility>

#include "common/base/address.h"

namespace gridsweep {
namespace {

constexpr size_t kThreads = 2;
constexpr time_t kTimeoutSeconds = 2;
constexpr size_t kMostRequestBytes = 4096;

}  // namespace

struct PageServer::Parts {
  httplib::Server server;
  std::thread thread;
  std::atomic<bool> ended{false};
};

PageServer::PageServer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

absl::StatusOr<std::unique_ptr<PageServer>> PageServer::Start(const std::string& address,
                                                              std::map<std::string, Handler> pages) {
  GS_ASSIGN_OR_RETURN(const HostPort parsed, ParseAddress("address of the metrics", address));
  const auto& [host, port] = parsed;

  std::unique_ptr<PageServer> made(new PageServer(std::make_unique<Parts>()));
  httplib::Server& server = made->parts_->server;
  server.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
  server.set_read_timeout(kTimeoutSeconds);
  server.set_write_timeout(kTimeoutSeconds);
  server.set_keep_alive_max_count(1);
  server.set_payload_max_length(kMostRequestBytes);
  // Not the library's own options: with SO_REUSEPORT two coordinators could share a port without a word.
  server.set_socket_options([](int socket) {
    const int on = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  });
  for (auto& [path, handler] : pages) {
    server.Get(path, [handler = std::move(handler)](const httplib::Request&, httplib::Response& response) {
      const Page page = handler();
      response.status = page.status;
      response.set_header("Cache-Control", "no-store");
      response.set_content(page.body, page.content_type.c_str());
    });
  }
  const int bound = port == 0 ? server.bind_to_any_port(host) : (server.bind_to_port(host, port) ? port : -1);
  if (bound <= 0) {
    return Unavailable(
        "cannot listen on '{}' for the metrics: is the address in use, or not of this machine?", address);
  }
  made->address_ = fmt::format("{}:{}", address.substr(0, address.rfind(':')), bound);
  Parts& parts = *made->parts_;
  parts.thread = std::thread([&parts] {
    parts.server.listen_after_bind();
    parts.ended = true;
  });
  // The library forgets a stop() that comes before it has begun.
  while (!server.is_running() && !parts.ended) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return made;
}

PageServer::~PageServer() {
  parts_->server.stop();
  if (parts_->thread.joinable()) parts_->thread.join();
}

}  // namespace gridsweep
