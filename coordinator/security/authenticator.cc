#include "coordinator/security/authenticator.h"

#include <grpcpp/security/auth_context.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <optional>
#include <string_view>

#include "common/base/log.h"

namespace gridsweep {
namespace {

constexpr unsigned kRefreshSeconds = 5;
constexpr size_t kLongestLogged = 100;
constexpr std::string_view kBearer = "Bearer ";

std::string_view View(grpc::string_ref text) {
  return {text.data(), text.size()};
}

std::string_view Find(const grpc::AuthMetadataProcessor::InputMetadata& metadata, const char* key) {
  const auto found = metadata.find(key);
  return found == metadata.end() ? std::string_view() : View(found->second);
}

// Of a client certificate that was verified.
struct CertificateHolder {
  std::string name;
  std::optional<Role> role;
};
CertificateHolder HolderOf(const grpc::AuthContext& context) {
  for (const grpc::string_ref& name : context.FindPropertyValues("x509_common_name")) {
    if (const std::optional<Role> role = RoleOfCommonName(View(name))) return {std::string(View(name)), role};
  }
  return {"nobody", std::nullopt};
}

}  // namespace

grpc::Status Authenticator::Denied(grpc::StatusCode code, const std::string& who, std::string_view method,
                                   const std::string& message) {
  hooks_.on_denied();
  // Whoever knocks a thousand times a second must not fill the disk with it.
  if (log_limit_.Take("all", clock_->Now().monotonic) > absl::ZeroDuration()) {
    ++unlogged_;
  } else {
    // Never the token.
    const int64_t unlogged = unlogged_.exchange(0);
    Log(LogLevel::kWarning, "call_denied",
        {{"who", who},
         {"method", method.substr(0, kLongestLogged)},
         {"reason", message},
         LogField::IfAny("unlogged_before", unlogged == 0 ? "" : std::to_string(unlogged))});
  }
  return {code, message};
}

grpc::Status Authenticator::Process(const InputMetadata& metadata, grpc::AuthContext* context,
                                    OutputMetadata* consumed, OutputMetadata* /*response*/) {
  const std::string_view method = Find(metadata, ":path");
  if (IsPublic(method)) return grpc::Status::OK;
  const std::string_view header = Find(metadata, "authorization");
  std::optional<Role> role;
  std::string who;
  if (header.starts_with(kBearer)) {
    consumed->insert({"authorization", std::string(header)});
    const absl::StatusOr<std::optional<TokenEntry>> token = tokens_.Find(header.substr(kBearer.size()));
    if (!token.ok()) {
      Log(LogLevel::kError, "tokens_unreadable", {{"error", Message(token.status())}});
      return {grpc::StatusCode::UNAVAILABLE, "the coordinator cannot read its tokens"};
    }
    if (!token->has_value())
      return Denied(grpc::StatusCode::UNAUTHENTICATED, "unknown token", method,
                    "the token is not known, or was revoked");
    role = (*token)->role;
    who = (*token)->id;
  } else {
    const CertificateHolder holder = HolderOf(*context);
    who = holder.name;
    role = holder.role;
  }
  if (!role) {
    return Denied(grpc::StatusCode::UNAUTHENTICATED, who, method,
                  "this coordinator wants a token: give --token-file FILE and --ca FILE");
  }
  if (!IsAllowed(*role, method)) {
    return Denied(grpc::StatusCode::PERMISSION_DENIED, who, method,
                  fmt::format("a {} may not call {}", RoleName(*role), method.substr(0, kLongestLogged)));
  }
  if (*role == Role::kWorker)
    return grpc::Status::OK;  // each worker's calls are counted by its name, which is in the message
  const absl::Status admitted = hooks_.admit(who);
  if (!admitted.ok()) return {grpc::StatusCode::RESOURCE_EXHAUSTED, Message(admitted)};
  return grpc::Status::OK;
}

std::shared_ptr<grpc::ServerCredentials> SecureCredentials(const SecurityDirectory& directory,
                                                           bool client_certificates, const Clock* clock,
                                                           AuthenticatorHooks hooks) {
  const auto provider = std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(
      directory.server_key(), directory.server_certificate(), directory.ca(), kRefreshSeconds);
  grpc::experimental::TlsServerCredentialsOptions options(provider);
  options.watch_identity_key_cert_pairs();
  options.watch_root_certs();
  options.set_cert_request_type(client_certificates
                                    ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                                    : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
  const auto credentials = grpc::experimental::TlsServerCredentials(options);
  credentials->SetAuthMetadataProcessor(
      std::make_shared<Authenticator>(directory.tokens(), clock, std::move(hooks)));
  return credentials;
}

}  // namespace gridsweep
