// Certificates for one coordinator and its machines, without a certificate authority of the house.
#pragma once

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/base/status.h"

namespace gridsweep {

// A certificate with its key (P-256), both as PEM.
struct Identity {
  std::string certificate;
  std::string key;
};

// One that signs others, and itself.
absl::StatusOr<Identity> MakeAuthority(const std::string& name, absl::Time now, absl::Duration valid);

struct CertificateRequest {
  std::string name;                // the common name
  std::vector<std::string> hosts;  // host names and addresses that it is for; empty for a client's
  bool is_server = false;
};
// INVALID_ARGUMENT if `authority` is no certificate with its key.
absl::StatusOr<Identity> IssueCertificate(const Identity& authority, const CertificateRequest& request,
                                          absl::Time now, absl::Duration valid);

// The host names and addresses that a PEM certificate is for.
absl::StatusOr<std::vector<std::string>> HostsOf(const std::string& certificate);

// When a PEM certificate ends.
absl::StatusOr<absl::Time> ExpiryOf(const std::string& certificate);

}  // namespace gridsweep
