// Lets calls in: by token, or by a client certificate of our authority, and by the caller's role.
#pragma once

#include <grpcpp/security/auth_metadata_processor.h>
#include <grpcpp/security/server_credentials.h>

#include <memory>
#include <string>

#include "coordinator/security/security_directory.h"

namespace gridsweep {

// Decides each call before its service sees it; what no rule allows is denied. UNAUTHENTICATED without a valid token or
// certificate, PERMISSION_DENIED for another's role. Thread-safe.
class Authenticator : public grpc::AuthMetadataProcessor {
 public:
  explicit Authenticator(std::string tokens_file) : tokens_(std::move(tokens_file)) {}

  bool IsBlocking() const override { return false; }
  grpc::Status Process(const InputMetadata& metadata, grpc::AuthContext* context, OutputMetadata* consumed,
                       OutputMetadata* response) override;

 private:
  TokenStore tokens_;
};

// TLS by the directory's certificate, which is read anew when it changes, and an Authenticator. `client_certificates`: demand
// one of every client (mutual TLS).
std::shared_ptr<grpc::ServerCredentials> SecureCredentials(const SecurityDirectory& directory,
                                                           bool client_certificates);

}  // namespace gridsweep
