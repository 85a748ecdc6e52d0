// The directory that `gridsweep-coordinator init` makes: what a coordinator needs to listen beyond its machine.
//
//   ca.pem       the authority's certificate: goes to every machine (--ca)
//   ca.key       its key: signs new certificates, never leaves this machine
//   server.pem, server.key    the coordinator's
//   tokens.json  the tokens it accepts, hashed
//   viewer.token, submitter.token, worker.token, admin.token    to hand out; the coordinator does not need them
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/base/status.h"
#include "coordinator/security/token_store.h"

namespace gridsweep {

struct Identity;

class SecurityDirectory {
 public:
  explicit SecurityDirectory(std::string path) : path_(std::move(path)) {}

  // Makes the directory (mode 0700) and all of its files, with a token for each role. `hosts`: names and addresses that the
  // coordinator is called by, beside those of this machine. ALREADY_EXISTS if there is one, FAILED_PRECONDITION if there is a
  // directory with something else in it; then nothing has changed.
  absl::Status Init(const std::vector<std::string>& hosts, absl::Time now) const;
  // A further token, written to `file`. Returns its id.
  absl::StatusOr<std::string> AddToken(Role role, const std::string& file) const;
  // NOT_FOUND, naming those that there are.
  absl::Status Revoke(const std::string& id) const;
  // A new server certificate; without `hosts` for those of the old one.
  absl::Status RenewServer(const std::vector<std::string>& hosts, absl::Time now) const;
  // A client's certificate for mutual TLS: NAME.pem and NAME.key. Its common name is "role:name", which is its role.
  absl::Status IssueClient(Role role, const std::string& name, absl::Time now) const;

  // FAILED_PRECONDITION, saying what to do, if something that a coordinator needs is missing, expired or readable for others.
  absl::Status Check(absl::Time now) const;

  std::string ca() const { return path_ + "/ca.pem"; }
  std::string server_certificate() const { return path_ + "/server.pem"; }
  std::string server_key() const { return path_ + "/server.key"; }
  std::string tokens() const { return path_ + "/tokens.json"; }

 private:
  std::string ca_key() const { return path_ + "/ca.key"; }
  absl::Status WriteServer(const Identity& server) const;

  const std::string path_;
};

// The role in a client certificate's common name; nullopt without one.
std::optional<Role> RoleOfCommonName(std::string_view common_name);

}  // namespace gridsweep
