#include "coordinator/http/live_server.h"

#include <httplib.h>
#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "common/base/address.h"
#include "common/base/json.h"

namespace gridsweep {
namespace {

constexpr size_t kThreads = 24;
// Each keeps a thread: the rest is for everything else.
constexpr int kMostStreams = 16;
constexpr time_t kTimeoutSeconds = 10;
constexpr size_t kMostRequestBytes = 4096;
constexpr std::chrono::seconds kLookAgain{1};
// A comment now and then tells proxies and the browser that the stream lives.
constexpr int kLooksPerHeartbeat = 15;
constexpr char kCookie[] = "gridsweep_token";

int HttpStatus(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kNotFound:
      return 404;
    case absl::StatusCode::kInvalidArgument:
      return 400;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kDeadlineExceeded:
      return 503;
    default:
      return 500;
  }
}

void Refuse(httplib::Response& response, int status, const std::string& message) {
  response.status = status;
  response.set_content(Json{{"error", message}}.dump(-1, ' ', false, Json::error_handler_t::replace),
                       "application/json");
}

// As it is: what is set as content the library compresses with Brotli at its best and slowest, a megabyte a second.
void Send(httplib::Response& response, std::string body, const char* type) {
  const size_t size = body.size();
  if (size == 0) return response.set_content("", type);
  response.set_content_provider(
      size, type, [body = std::move(body)](size_t offset, size_t length, httplib::DataSink& sink) {
        return sink.write(body.data() + offset, length);
      });
}

// The policy that the page states for itself, to be stated in the header too.
std::string PolicyOf(const std::string& page) {
  constexpr std::string_view kBegin = "http-equiv=\"Content-Security-Policy\" content=\"";
  const size_t begin = page.find(kBegin);
  if (begin == std::string::npos) return "default-src 'none'";
  const size_t from = begin + kBegin.size();
  return page.substr(from, page.find('"', from) - from);
}

// The value of one of a request's cookies; empty without it.
std::string CookieOf(const httplib::Request& request, const std::string& name) {
  const std::string cookies = "; " + request.get_header_value("Cookie");
  const size_t at = cookies.find("; " + name + "=");
  if (at == std::string::npos) return "";
  const size_t from = at + name.size() + 3;
  return cookies.substr(from, cookies.find(';', from) - from);
}

// Ids of sweeps are of at most 18 digits: the routes see to it.
int64_t IdOf(const httplib::Request& request) {
  return std::stoll(request.matches[1].str());
}

}  // namespace

struct LiveServer::Parts {
  Options options;
  Content content;
  std::string policy;
  std::set<std::string> hosts;  // that requests may name; empty: any
  std::unique_ptr<httplib::Server> server;
  std::thread thread;
  std::atomic<bool> ended{false};
  std::atomic<int> streams{0};
  std::mutex mutex;
  std::condition_variable wake;
  bool stopping = false;  // guarded by mutex

  bool secure() const { return !options.certificate.empty(); }

  // Until the next look, or the end.
  bool WaitToLook() {
    std::unique_lock lock(mutex);
    return !wake.wait_for(lock, kLookAgain, [this] { return stopping; });
  }

  // False, and answered, if the request must not be served.
  bool Admits(const httplib::Request& request, httplib::Response& response);
  void AddRoutes();
  void Answer(httplib::Response& response, const absl::StatusOr<std::string>& body, const char* type) const;
  void Stream(const httplib::Request& request, httplib::Response& response);
};

bool LiveServer::Parts::Admits(const httplib::Request& request, httplib::Response& response) {
  const std::string host = request.get_header_value("Host");
  if (!hosts.empty() && !hosts.contains(host)) {
    Refuse(response, 421, "this server does not answer for the host that was named");
    return false;
  }
  const std::string origin = request.get_header_value("Origin");
  if (!origin.empty() && origin != (secure() ? "https://" : "http://") + host) {
    Refuse(response, 403, "requests from other pages are refused");
    return false;
  }
  const bool is_data = request.path.starts_with("/api/") && request.path != "/api/v1/login";
  if (secure() && is_data && !options.admits(CookieOf(request, kCookie))) {
    Refuse(response, 401, "sign in with an access token");
    return false;
  }
  return true;
}

void LiveServer::Parts::Answer(httplib::Response& response, const absl::StatusOr<std::string>& body,
                               const char* type) const {
  if (!body.ok()) return Refuse(response, HttpStatus(body.status()), Message(body.status()));
  Send(response, *body, type);
}

void LiveServer::Parts::Stream(const httplib::Request& request, httplib::Response& response) {
  const int64_t sweep = IdOf(request);
  const absl::StatusOr<std::string> first = content.progress(sweep);
  if (!first.ok()) return Refuse(response, HttpStatus(first.status()), Message(first.status()));
  if (streams.fetch_add(1) >= kMostStreams) {
    streams.fetch_sub(1);
    return Refuse(response, 503, "too many pages are watching; close one");
  }
  auto last = std::make_shared<std::string>();
  auto looks = std::make_shared<int>(0);
  response.set_chunked_content_provider(
      "text/event-stream",
      [this, sweep, last, looks](size_t, httplib::DataSink& sink) {
        if (!last->empty() && !WaitToLook()) {
          sink.done();
          return true;
        }
        const absl::StatusOr<std::string> now = content.progress(sweep);
        std::string text;
        if (now.ok() && *now != *last) {
          *last = *now;
          text = "event: progress\ndata: " + *now + "\n\n";
        } else if (++*looks % kLooksPerHeartbeat == 0) {
          text = ": still here\n\n";
        }
        return text.empty() || sink.write(text.data(), text.size());
      },
      [this](bool) { streams.fetch_sub(1); });
}

void LiveServer::Parts::AddRoutes() {
  server->set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
    response.set_header("Content-Security-Policy", policy + "; frame-ancestors 'none'");
    response.set_header("X-Content-Type-Options", "nosniff");
    response.set_header("X-Frame-Options", "DENY");
    response.set_header("Referrer-Policy", "no-referrer");
    response.set_header("Cross-Origin-Resource-Policy", "same-origin");
    response.set_header("Cross-Origin-Opener-Policy", "same-origin");
    response.set_header("Cache-Control", "no-store");
    return Admits(request, response) ? httplib::Server::HandlerResponse::Unhandled
                                     : httplib::Server::HandlerResponse::Handled;
  });
  server->Get("/", [this](const httplib::Request&, httplib::Response& response) {
    Send(response, content.page, "text/html; charset=utf-8");
  });
  server->Get("/api/v1/sweeps", [this](const httplib::Request&, httplib::Response& response) {
    Answer(response, content.sweeps(), "application/json");
  });
  server->Get(R"(/api/v1/sweeps/(\d{1,18})/report)",
              [this](const httplib::Request& request, httplib::Response& response) {
                Answer(response, content.report(IdOf(request)), "application/json");
              });
  server->Get(R"(/api/v1/sweeps/(\d{1,18})/(curves|confusions|samples))",
              [this](const httplib::Request& request, httplib::Response& response) {
                Answer(response, content.section(IdOf(request), request.matches[2].str()),
                       "application/gzip");
              });
  server->Get(
      R"(/api/v1/sweeps/(\d{1,18})/events)",
      [this](const httplib::Request& request, httplib::Response& response) { Stream(request, response); });
  server->Post("/api/v1/login", [this](const httplib::Request& request, httplib::Response& response) {
    const absl::StatusOr<Json> body = ParseJson(request.body);
    const absl::StatusOr<std::string> token =
        body.ok() ? GetField<std::string>(*body, "token") : body.status();
    if (!token.ok()) return Refuse(response, 400, "expected {\"token\": …}");
    if (!secure() || !options.admits(*token)) return Refuse(response, 401, "no such token");
    response.set_header("Set-Cookie",
                        fmt::format("{}={}; Path=/; HttpOnly; Secure; SameSite=Strict", kCookie, *token));
    response.status = 204;
  });
}

LiveServer::LiveServer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

absl::StatusOr<std::unique_ptr<LiveServer>> LiveServer::Start(Options options, Content content) {
  GS_ASSIGN_OR_RETURN(const HostPort parsed, ParseAddress("address of the live view", options.address));
  const auto& [host, port] = parsed;
  std::unique_ptr<LiveServer> made(new LiveServer(std::make_unique<Parts>()));
  Parts& parts = *made->parts_;
  parts.options = std::move(options);
  parts.content = std::move(content);
  parts.policy = PolicyOf(parts.content.page);
  if (parts.secure()) {
    parts.server =
        std::make_unique<httplib::SSLServer>(parts.options.certificate.c_str(), parts.options.key.c_str());
  } else {
    parts.server = std::make_unique<httplib::Server>();
  }
  httplib::Server& server = *parts.server;
  if (!server.is_valid())
    return Unavailable("cannot use '{}' and '{}' for the live view", parts.options.certificate,
                       parts.options.key);
  server.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
  server.set_read_timeout(kTimeoutSeconds);
  server.set_write_timeout(kTimeoutSeconds);
  server.set_keep_alive_timeout(kTimeoutSeconds);
  server.set_payload_max_length(kMostRequestBytes);
  // Not the library's own options: with SO_REUSEPORT two coordinators could share a port without a word.
  server.set_socket_options([](int socket) {
    const int on = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  });
  parts.AddRoutes();
  const int bound = port == 0 ? server.bind_to_any_port(host) : (server.bind_to_port(host, port) ? port : -1);
  if (bound <= 0)
    return Unavailable(
        "cannot listen on '{}' for the live view: is the address in use, or not of this machine?",
        parts.options.address);
  const std::string shown = parts.options.address.substr(0, parts.options.address.rfind(':'));
  made->url_ = fmt::format("{}://{}:{}/", parts.secure() ? "https" : "http", shown, bound);
  // Without tokens a name that somebody has pointed at this machine must not open the data to his page.
  if (!parts.secure()) {
    for (const std::string& name :
         {shown, std::string("localhost"), std::string("127.0.0.1"), std::string("[::1]")})
      parts.hosts.insert(fmt::format("{}:{}", name, bound));
  }
  parts.thread = std::thread([&parts] {
    parts.server->listen_after_bind();
    parts.ended = true;
  });
  // The library forgets a stop() that comes before it has begun.
  while (!server.is_running() && !parts.ended) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return made;
}

LiveServer::~LiveServer() {
  if (!parts_->thread.joinable()) return;
  {
    const std::lock_guard lock(parts_->mutex);
    parts_->stopping = true;
  }
  parts_->wake.notify_all();
  parts_->server->stop();
  parts_->thread.join();
}

}  // namespace gridsweep
