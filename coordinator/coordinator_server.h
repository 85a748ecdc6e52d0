// The coordinator, composed: store, queue, commit loop, services, gRPC server. main and the tests start the
// same one.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/catalog/catalog.h"
#include "common/sweep/sweep_spec.h"
#include "coordinator/queue/commit_loop.h"
#include "coordinator/queue/job_queue.h"
#include "coordinator/service/call_gate.h"

namespace grpc {
class Server;
}

namespace gridsweep {

struct AuthenticatorHooks;

struct CoordinatorConfig {
  std::string database;                   // path of the SQLite file
  std::string listen = "127.0.0.1:7077";  // port 0: any free one
  bool read_only = false;                 // serve an existing database without changing it
  bool allow_insecure = false;            // listen beyond loopback without encryption
  std::string security;                   // a SecurityDirectory; empty: no encryption, no tokens
  bool client_certificates = false;       // with security: demand one of every client
  std::string metrics;               // HOST:PORT on loopback, for metrics and health over HTTP; empty: none
  std::string http;                  // HOST:PORT of the live view; empty: none
  int64_t max_connections = 10'000;  // more wait until others end
  QueueOptions queue;
  SweepLimits limits;
  int64_t artifacts_limit = int64_t{4}
                            << 30;  // bytes of the files beside the database, in DATABASE.artifacts
  absl::Duration collect = absl::Seconds(30);  // how often those are deleted that nothing refers to
  CallGate::Options calls;
  // As of CommitLoop::Options.
  std::function<void(const WriteTrouble&)> on_broken = [](const WriteTrouble&) {};
};

// Thread-safe.
class CoordinatorServer {
 public:
  // Opens (and migrates) the store, gives every open lease a fresh term, then listens and publishes the
  // address in the lock file; in this order, so that nobody reaches a coordinator that is not ready. Errors
  // are those of OpenSqliteStore and CheckLoopback (also for the metrics, which have no other protection), and UNAVAILABLE if the address cannot be bound. `clock`
  // and `catalog` are not owned and must outlive the server.
  static absl::StatusOr<std::unique_ptr<CoordinatorServer>> Start(const CoordinatorConfig& config,
                                                                  const Clock& clock, const Catalog& catalog);
  // As Shutdown().
  ~CoordinatorServer();

  // "127.0.0.1:7077", with the port that was bound.
  const std::string& address() const { return address_; }
  // Of the metrics, likewise; empty without them.
  std::string metrics_address() const;
  // "http://127.0.0.1:8080/" of the live view; empty without it.
  std::string live_url() const;

  // Stops accepting calls, lets those in flight finish for a few seconds, commits what was posted, closes the
  // store. Idempotent.
  void Shutdown();

 private:
  struct Parts;
  static AuthenticatorHooks Hooks(Parts& parts);
  static absl::Status StartLiveView(Parts& parts, const CoordinatorConfig& config, const Clock& clock);
  static CommitLoop::Options LoopOptions(Parts& parts, const CoordinatorConfig& config);
  explicit CoordinatorServer(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
  std::string address_;
};

}  // namespace gridsweep
