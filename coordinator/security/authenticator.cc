#include "coordinator/security/authenticator.h"

#include <grpcpp/security/auth_context.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <optional>
#include <string_view>

#include "common/base/log.h"

namespace gridsweep {
namespace {

constexpr unsigned kRefreshSeconds = 5;
constexpr std::string_view kBearer = "Bearer ";

std::string_view View(grpc::string_ref text) {
  return {text.data(), text.size()};
}

std::string_view Find(const grpc::AuthMetadataProcessor::InputMetadata& metadata, const char* key) {
  const auto found = metadata.find(key);
  return found == metadata.end() ? std::string_view() : View(found->second);
}

// Of a client certificate that was verified.
std::optional<Role> RoleOfCertificate(const grpc::AuthContext& context) {
  for (const grpc::string_ref& name : context.FindPropertyValues("x509_common_name")) {
    if (const std::optional<Role> role = RoleOfCommonName(View(name))) return role;
  }
  return std::nullopt;
}

grpc::Status Denied(grpc::StatusCode code, const std::string& who, std::string_view method, const std::string& message) {
  // Never the token.
  Log(LogLevel::kWarning, "call_denied", {{"who", who}, {"method", method}, {"reason", message}});
  return {code, message};
}

}  // namespace

grpc::Status Authenticator::Process(const InputMetadata& metadata, grpc::AuthContext* context, OutputMetadata* consumed,
                                    OutputMetadata* /*response*/) {
  const std::string_view method = Find(metadata, ":path");
  if (IsPublic(method)) return grpc::Status::OK;
  const std::string_view header = Find(metadata, "authorization");
  std::optional<Role> role;
  std::string who = "certificate";
  if (header.starts_with(kBearer)) {
    consumed->insert({"authorization", std::string(header)});
    const absl::StatusOr<std::optional<TokenEntry>> token = tokens_.Find(header.substr(kBearer.size()));
    if (!token.ok()) {
      Log(LogLevel::kError, "tokens_unreadable", {{"error", Message(token.status())}});
      return {grpc::StatusCode::UNAVAILABLE, "the coordinator cannot read its tokens"};
    }
    if (!token->has_value())
      return Denied(grpc::StatusCode::UNAUTHENTICATED, "unknown token", method, "the token is not known, or was revoked");
    role = (*token)->role;
    who = (*token)->id;
  } else {
    role = RoleOfCertificate(*context);
  }
  if (!role) {
    return Denied(grpc::StatusCode::UNAUTHENTICATED, "nobody", method,
                  "this coordinator wants a token: give --token-file FILE and --ca FILE");
  }
  if (!IsAllowed(*role, method)) {
    return Denied(grpc::StatusCode::PERMISSION_DENIED, who, method,
                  fmt::format("a {} may not call {}", RoleName(*role), method));
  }
  return grpc::Status::OK;
}

std::shared_ptr<grpc::ServerCredentials> SecureCredentials(const SecurityDirectory& directory, bool client_certificates) {
  const auto provider = std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(
      directory.server_key(), directory.server_certificate(), directory.ca(), kRefreshSeconds);
  grpc::experimental::TlsServerCredentialsOptions options(provider);
  options.watch_identity_key_cert_pairs();
  options.watch_root_certs();
  options.set_cert_request_type(client_certificates ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                                                    : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
  const auto credentials = grpc::experimental::TlsServerCredentials(options);
  credentials->SetAuthMetadataProcessor(std::make_shared<Authenticator>(directory.tokens()));
  return credentials;
}

}  // namespace gridsweep
