// The live view over HTTP: one page, its data, and a stream of progress. Read-only.
//
// On loopback anyone on this machine may look; beyond, and wherever the coordinator has a security directory, it is TLS and a
// token, which the page asks for and keeps in a cookie. A page of another origin learns nothing: requests that name another
// host (DNS rebinding) or come from another origin are refused, and there is no CORS.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "common/base/status.h"

namespace gridsweep {

class LiveServer {
 public:
  // What it serves. Called on threads of the server, by several at a time. JSON texts; NOT_FOUND for an unknown sweep.
  struct Content {
    std::string page;                                              // HTML, with its policy in a meta element
    std::function<absl::StatusOr<std::string>()> sweeps;           // the list
    std::function<absl::StatusOr<std::string>(int64_t)> report;    // of a sweep
    std::function<absl::StatusOr<std::string>(int64_t)> progress;  // of a sweep
    // gzip of a section of a sweep's report: "curves", "confusions", "samples".
    std::function<absl::StatusOr<std::string>(int64_t, const std::string&)> section;
  };
  struct Options {
    std::string address;  // HOST:PORT; port 0: any free one
    // TLS, and tokens that `admits` knows; empty: neither.
    std::string certificate, key;
    std::function<bool(const std::string& token)> admits;
  };

  // INVALID_ARGUMENT if the address is malformed, UNAVAILABLE if it cannot be bound or the certificate not be read.
  static absl::StatusOr<std::unique_ptr<LiveServer>> Start(Options options, Content content);
  // Ends the streams and finishes the requests in flight. Nothing is called afterwards.
  ~LiveServer();
  LiveServer(const LiveServer&) = delete;
  LiveServer& operator=(const LiveServer&) = delete;

  // "http://127.0.0.1:8080/", with the port that was bound.
  const std::string& url() const { return url_; }

 private:
  struct Parts;
  explicit LiveServer(std::unique_ptr<Parts> parts);

  const std::unique_ptr<Parts> parts_;
  std::string url_;
};

}  // namespace gridsweep
