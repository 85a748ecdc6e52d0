// Lets calls in: by token, or by a client certificate of our authority, and by the caller's role.
#pragma once

#include <grpcpp/security/auth_metadata_processor.h>
#include <grpcpp/security/server_credentials.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include "common/base/clock.h"
#include "common/base/rate_limiter.h"
#include "coordinator/security/security_directory.h"

namespace gridsweep {

struct AuthenticatorHooks {
  // Asked for each call of a user that is let in, with the id of the token or the name in the certificate; not for workers.
  std::function<absl::Status(const std::string& who)> admit = [](const std::string&) {
    return absl::OkStatus();
  };
  std::function<void()> on_denied = [] {};
};

// Decides each call before its service sees it; what no rule allows is denied. UNAUTHENTICATED without a valid token or
// certificate, PERMISSION_DENIED for another's role. Logs what it denies, but not a flood of it. Thread-safe; `clock` is not owned and must
// outlive it.
class Authenticator : public grpc::AuthMetadataProcessor {
 public:
  Authenticator(std::string tokens_file, const Clock* clock, AuthenticatorHooks hooks)
      : clock_(clock), hooks_(std::move(hooks)), tokens_(std::move(tokens_file)) {}

  bool IsBlocking() const override { return false; }
  grpc::Status Process(const InputMetadata& metadata, grpc::AuthContext* context, OutputMetadata* consumed,
                       OutputMetadata* response) override;

 private:
  grpc::Status Denied(grpc::StatusCode code, const std::string& who, std::string_view method,
                      const std::string& message);

  const Clock* const clock_;
  const AuthenticatorHooks hooks_;
  TokenStore tokens_;
  RateLimiter log_limit_{{.per_second = 1, .burst = 20}};
  std::atomic<int64_t> unlogged_{0};
};

// TLS by the directory's certificate, which is read anew when it changes, and an Authenticator. `client_certificates`: demand
// one of every client (mutual TLS). `clock` is not owned and must outlive the server.
std::shared_ptr<grpc::ServerCredentials> SecureCredentials(const SecurityDirectory& directory,
                                                           bool client_certificates, const Clock* clock,
                                                           AuthenticatorHooks hooks);

}  // namespace gridsweep
