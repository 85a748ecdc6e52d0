// Connection settings that must fit together on both ends, and what counts as a safe address.
#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/server_builder.h>

#include <memory>
#include <string>

#include "common/base/status.h"
#include "common/rpc/endpoint.h"

namespace gridsweep {

inline constexpr int kProtocolVersion = 1;
inline constexpr int kMaxMessageBytes = 64 << 20;

// A channel that notices a silent peer within 30 s and reconnects within seconds of its return. INVALID_ARGUMENT if a token
// or certificate is given without ca_file: it would travel unencrypted, to anybody. Otherwise the error of the file that
// cannot be used.
absl::StatusOr<std::shared_ptr<grpc::Channel>> ConnectTo(const Endpoint& endpoint);
// Without encryption.
std::shared_ptr<grpc::Channel> ConnectTo(const std::string& address);

// The server's half of the same settings: accepts the clients' keepalive pings and bounds message sizes.
void ConfigureServer(grpc::ServerBuilder& builder);

// OK if `address` ("host:port") is on the loopback interface; otherwise FAILED_PRECONDITION saying what to do. Without
// encryption and tokens anyone who reaches the port controls the sweeps.
absl::Status CheckLoopback(const std::string& address);

// gRPC's version, for --version.
std::string GrpcVersion();

}  // namespace gridsweep
