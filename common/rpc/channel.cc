#include "common/rpc/channel.h"

#include <arpa/inet.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/security/credentials.h>

#include <fstream>
#include <map>
#include <sstream>

#include "common/base/secret.h"

namespace gridsweep {

namespace {

constexpr int kMostThreads = 256;

// Sends the token of a file with every call.
class TokenPlugin : public grpc::MetadataCredentialsPlugin {
 public:
  explicit TokenPlugin(std::string file) : file_(std::move(file)) {}
  bool IsBlocking() const override { return false; }
  grpc::Status GetMetadata(grpc::string_ref, grpc::string_ref, const grpc::AuthContext&,
                           std::multimap<std::string, std::string>* metadata) override {
    const absl::StatusOr<std::string> token = ReadSecretFile(file_);
    if (!token.ok()) return {grpc::StatusCode::UNAUTHENTICATED, Message(token.status())};
    metadata->insert({"authorization", "Bearer " + *token});
    return grpc::Status::OK;
  }
  std::string DebugString() override { return "token of " + file_; }

 private:
  const std::string file_;
};

absl::StatusOr<std::string> ReadPem(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  if (!in.is_open() || text.str().find("-----BEGIN ") == std::string::npos)
    return InvalidArgument("'{}' cannot be read, or is no PEM file", file);
  return text.str();
}

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> Credentials(const Endpoint& endpoint) {
  if (endpoint.ca_file.empty()) {
    if (endpoint.token_file.empty() && endpoint.certificate_file.empty())
      return grpc::InsecureChannelCredentials();
    return InvalidArgument(
        "a token or certificate needs an encrypted connection: give --ca FILE too, the ca.pem that "
        "gridsweep-coordinator init has made");
  }
  if (endpoint.certificate_file.empty() != endpoint.key_file.empty())
    return InvalidArgument("--cert and --cert-key belong together");
  grpc::SslCredentialsOptions options;
  GS_ASSIGN_OR_RETURN(options.pem_root_certs, ReadPem(endpoint.ca_file));
  if (!endpoint.certificate_file.empty()) {
    GS_ASSIGN_OR_RETURN(options.pem_cert_chain, ReadPem(endpoint.certificate_file));
    GS_ASSIGN_OR_RETURN(options.pem_private_key, ReadPem(endpoint.key_file));
  }
  const auto encrypted = grpc::SslCredentials(options);
  if (endpoint.token_file.empty()) return encrypted;
  GS_RETURN_IF_ERROR(ReadSecretFile(endpoint.token_file).status());
  return grpc::CompositeChannelCredentials(
      encrypted, grpc::MetadataCredentialsFromPlugin(std::make_unique<TokenPlugin>(endpoint.token_file)));
}

int Milliseconds(std::chrono::milliseconds duration) {
  return static_cast<int>(duration.count());
}

grpc::ChannelArguments Arguments(const Keepalive& keepalive) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, Milliseconds(keepalive.client_ping));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, Milliseconds(keepalive.client_patience));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 200);
  // Despite its name, what gRPC gives an attempt to connect: an overloaded machine may need seconds for it.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 5'000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 3'000);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // Otherwise two channels of one process to one address share a connection and its back-off.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  return arguments;
}

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::Channel>> ConnectTo(const Endpoint& endpoint) {
  GS_ASSIGN_OR_RETURN(const std::shared_ptr<grpc::ChannelCredentials> credentials, Credentials(endpoint));
  return grpc::CreateCustomChannel(endpoint.address, credentials, Arguments({}));
}

std::shared_ptr<grpc::Channel> ConnectTo(const std::string& address, const Keepalive& keepalive) {
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), Arguments(keepalive));
}

void ConfigureServer(grpc::ServerBuilder& builder, const Keepalive& keepalive) {
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             Milliseconds(keepalive.server_expects));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, Milliseconds(keepalive.server_ping));
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, Milliseconds(keepalive.server_patience));
  // A connection that is not used for a while costs a file descriptor for nothing; one that lives for ever keeps a
  // certificate that has been replaced.
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, 600'000);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_MS, 3'600'000);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_AGE_GRACE_MS, 30'000);
  // Who connects and says nothing sensible does not keep others away for long.
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, 20'000);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, 8'192);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, 100);
  // Two servers on one port would share its connections. (The coordinator binds its port itself.)
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.SetMaxReceiveMessageSize(kMaxRequestBytes);
  // Calls of users hold a thread each; more of them at once are answered RESOURCE_EXHAUSTED.
  builder.SetResourceQuota(grpc::ResourceQuota("coordinator").SetMaxThreads(kMostThreads));
}

absl::Status CheckLoopback(const std::string& address) {
  const size_t colon = address.rfind(':');
  const std::string host = colon == std::string::npos ? address : address.substr(0, colon);
  in_addr ipv4{};
  // An address, not a name that looks like one: 127.example.org may be anywhere.
  const bool is_127 = inet_pton(AF_INET, host.c_str(), &ipv4) == 1 && (ntohl(ipv4.s_addr) >> 24) == 127;
  if (is_127 || host == "localhost" || host == "[::1]") return absl::OkStatus();
  return FailedPrecondition(
      "refusing to listen on '{}': beyond this machine the connection would be neither encrypted nor authenticated, and "
      "anyone who reaches the port could control the sweeps. Make certificates and tokens with gridsweep-coordinator init DIR "
      "and add --security DIR; or listen on 127.0.0.1 and reach it through an SSH tunnel; or, on a network you trust, add "
      "--allow-insecure",
      address);
}

std::string GrpcVersion() {
  return grpc::Version();
}

}  // namespace gridsweep
