// Connection settings that must fit together on both ends, and what counts as a safe address.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/server_builder.h>

#include <chrono>
#include <memory>
#include <string>

#include "common/base/status.h"
#include "common/rpc/endpoint.h"

namespace gridsweep {

inline constexpr int kProtocolVersion = 1;
inline constexpr int kMaxMessageBytes = 64 << 20;  // of an answer
inline constexpr int kMaxRequestBytes = 32 << 20;

// How both ends find out that the other is gone. They must fit: a server that is pinged more often than it expects closes the
// connection with "Too many pings".
struct Keepalive {
  std::chrono::milliseconds client_ping =
      std::chrono::seconds(30);  // seldom: an idle worker calls more often
  std::chrono::milliseconds client_patience = std::chrono::seconds(10);
  std::chrono::milliseconds server_expects =
      std::chrono::seconds(15);  // at least this long between two pings, also on an idle connection
  std::chrono::milliseconds server_ping = std::chrono::seconds(60);
  std::chrono::milliseconds server_patience = std::chrono::seconds(10);
};
static_assert(Keepalive{}.client_ping >= 2 * Keepalive{}.server_expects);

// A channel that notices a silent peer within 40 s and reconnects within seconds of its return. INVALID_ARGUMENT if a token
// or certificate is given without ca_file: it would travel unencrypted, to anybody. Otherwise the error of the file that
// cannot be used.
absl::StatusOr<std::shared_ptr<grpc::Channel>> ConnectTo(const Endpoint& endpoint);
// Without encryption.
std::shared_ptr<grpc::Channel> ConnectTo(const std::string& address, const Keepalive& keepalive = {});

// The server's half of the same settings: accepts the clients' keepalive pings and bounds messages and threads.
void ConfigureServer(grpc::ServerBuilder& builder, const Keepalive& keepalive = {});

// OK if `address` ("host:port") is on the loopback interface; otherwise FAILED_PRECONDITION saying what to do. Without
// encryption and tokens anyone who reaches the port controls the sweeps.
absl::Status CheckLoopback(const std::string& address);

// gRPC's version, for --version.
std::string GrpcVersion();

}  // namespace gridsweep
