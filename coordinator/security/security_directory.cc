#include "coordinator/security/security_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "common/base/secret.h"
#include "common/base/shell_word.h"
#include "coordinator/security/certificates.h"

namespace gridsweep {
namespace {

constexpr absl::Duration kAuthorityValid = absl::Hours(24 * 3650), kCertificateValid = absl::Hours(24 * 825);

// Two that change the tokens at once would undo each other, and a revoked one could come back. Without the directory it does
// nothing; who reads it then says so.
class ChangeLock {
 public:
  explicit ChangeLock(const std::string& directory)
      : fd_(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    if (fd_ >= 0) flock(fd_, LOCK_EX);
  }
  ~ChangeLock() {
    if (fd_ >= 0) close(fd_);
  }
  ChangeLock(const ChangeLock&) = delete;
  ChangeLock& operator=(const ChangeLock&) = delete;

 private:
  const int fd_;
};

absl::StatusOr<std::string> ReadText(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  if (!in.is_open()) return ErrnoError(errno, fmt::format("cannot read '{}'", file));
  return text.str();
}

absl::StatusOr<Identity> ReadIdentity(const std::string& certificate, const std::string& key) {
  Identity identity;
  GS_ASSIGN_OR_RETURN(identity.certificate, ReadText(certificate));
  GS_ASSIGN_OR_RETURN(identity.key, ReadText(key));
  return identity;
}

std::vector<std::string> WithOwnNames(std::vector<std::string> hosts) {
  std::array<char, 256> name{};
  std::vector<std::string> all = {"localhost", "127.0.0.1", "::1"};
  if (gethostname(name.data(), name.size() - 1) == 0 && name[0] != '\0') all.emplace_back(name.data());
  for (std::string& host : hosts) {
    if (std::find(all.begin(), all.end(), host) == all.end()) all.push_back(std::move(host));
  }
  return all;
}

absl::StatusOr<Identity> IssueServer(const Identity& authority, const std::vector<std::string>& hosts,
                                     absl::Time now) {
  return IssueCertificate(authority, {"gridsweep coordinator", WithOwnNames(hosts), true}, now,
                          kCertificateValid);
}

}  // namespace

absl::Status SecurityDirectory::WriteServer(const Identity& server) const {
  // The key first: a watcher takes a pair that does not fit for none, and looks again.
  GS_RETURN_IF_ERROR(WriteSecretFile(server_key(), server.key, /*replace=*/true));
  return WriteSecretFile(server_certificate(), server.certificate, /*replace=*/true);
}

absl::Status SecurityDirectory::Init(const std::vector<std::string>& hosts, absl::Time now) const {
  // Before anything is made, so that a bad host name leaves nothing behind.
  GS_ASSIGN_OR_RETURN(const Identity authority, MakeAuthority("gridsweep authority", now, kAuthorityValid));
  GS_ASSIGN_OR_RETURN(const Identity server, IssueServer(authority, hosts, now));
  if (mkdir(path_.c_str(), 0700) != 0) {
    if (errno != EEXIST) return ErrnoError(errno, fmt::format("cannot make '{}'", path_));
    if (access(ca().c_str(), F_OK) == 0 || access(tokens().c_str(), F_OK) == 0) {
      return AlreadyExists(
          "'{}' holds certificates and tokens already; make new ones elsewhere, or use the subcommands token, revoke and "
          "renew",
          path_);
    }
    // Nobody else's directory is closed to others.
    std::error_code error;
    if (!std::filesystem::is_empty(path_, error) || error)
      return FailedPrecondition("'{}' is no empty directory; name a new one", path_);
    if (chmod(path_.c_str(), 0700) != 0) return ErrnoError(errno, fmt::format("cannot use '{}'", path_));
  }
  GS_RETURN_IF_ERROR(WriteSecretFile(ca_key(), authority.key, false));
  GS_RETURN_IF_ERROR(WriteSecretFile(ca(), authority.certificate, false));
  chmod(ca().c_str(), 0644);  // no secret
  GS_RETURN_IF_ERROR(WriteServer(server));
  std::vector<TokenEntry> entries;
  for (const Role role : kAllRoles) {
    const NewToken made = MakeToken(role);
    GS_RETURN_IF_ERROR(
        WriteSecretFile(fmt::format("{}/{}.token", path_, RoleName(role)), made.token + "\n", false));
    entries.push_back(made.entry);
  }
  return WriteTokens(tokens(), entries);
}

absl::StatusOr<std::string> SecurityDirectory::AddToken(Role role, const std::string& file) const {
  const ChangeLock lock(path_);
  GS_ASSIGN_OR_RETURN(std::vector<TokenEntry> entries, ReadTokens(tokens()));
  const NewToken made = MakeToken(role);
  GS_RETURN_IF_ERROR(WriteSecretFile(file, made.token + "\n", /*replace=*/false));
  entries.push_back(made.entry);
  GS_RETURN_IF_ERROR(WriteTokens(tokens(), entries));
  return made.entry.id;
}

absl::Status SecurityDirectory::Revoke(const std::string& id) const {
  const ChangeLock lock(path_);
  GS_ASSIGN_OR_RETURN(std::vector<TokenEntry> entries, ReadTokens(tokens()));
  std::string known;
  for (const TokenEntry& entry : entries) known += (known.empty() ? "" : ", ") + entry.id;
  if (std::erase_if(entries, [&](const TokenEntry& entry) { return entry.id == id; }) == 0)
    return NotFound("no token '{}'; there are: {}", id, known.empty() ? "none" : known);
  return WriteTokens(tokens(), entries);
}

absl::Status SecurityDirectory::RenewServer(const std::vector<std::string>& hosts, absl::Time now) const {
  GS_ASSIGN_OR_RETURN(const Identity authority, ReadIdentity(ca(), ca_key()));
  std::vector<std::string> names = hosts;
  if (names.empty()) {
    // Clients go on calling it as they did. An old one that cannot be read is no reason not to make a new one.
    const absl::StatusOr<std::string> old = ReadText(server_certificate());
    if (absl::StatusOr<std::vector<std::string>> known = HostsOf(old.ok() ? *old : ""); known.ok())
      names = *std::move(known);
  }
  GS_ASSIGN_OR_RETURN(const Identity server, IssueServer(authority, names, now));
  return WriteServer(server);
}

absl::Status SecurityDirectory::IssueClient(Role role, const std::string& name, absl::Time now) const {
  // A common name has room for 64, with the role.
  const bool plain = !name.empty() && name.size() <= 48 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
  if (!plain)
    return InvalidArgument("'{}' is no name for a certificate: letters, digits, - and _, at most 48", name);
  GS_ASSIGN_OR_RETURN(const Identity authority, ReadIdentity(ca(), ca_key()));
  GS_ASSIGN_OR_RETURN(const Identity client,
                      IssueCertificate(authority, {fmt::format("{}:{}", RoleName(role), name), {}, false},
                                       now, kCertificateValid));
  GS_RETURN_IF_ERROR(WriteSecretFile(fmt::format("{}/{}.key", path_, name), client.key, false));
  return WriteSecretFile(fmt::format("{}/{}.pem", path_, name), client.certificate, false);
}

absl::Status SecurityDirectory::Check(absl::Time now) const {
  const auto init = [&] { return fmt::format("gridsweep-coordinator init {} makes them", ShellWord(path_)); };
  for (const std::string& file : {ca(), server_certificate(), server_key(), tokens()}) {
    if (access(file.c_str(), R_OK) != 0) return FailedPrecondition("'{}' cannot be read; {}", file, init());
  }
  struct stat info {};
  if (stat(server_key().c_str(), &info) == 0 && (info.st_mode & 077) != 0) {
    return FailedPrecondition("'{0}' is a secret and others may read it: chmod 600 '{0}'", server_key());
  }
  GS_RETURN_IF_ERROR(ReadTokens(tokens()).status());
  GS_ASSIGN_OR_RETURN(const std::string certificate, ReadText(server_certificate()));
  const absl::StatusOr<absl::Time> expiry = ExpiryOf(certificate);
  if (!expiry.ok()) return FailedPrecondition("'{}': {}", server_certificate(), Message(expiry.status()));
  if (*expiry <= now) {
    return FailedPrecondition("'{}' has expired; gridsweep-coordinator renew {} makes a new one",
                              server_certificate(), ShellWord(path_));
  }
  return absl::OkStatus();
}

std::optional<Role> RoleOfCommonName(std::string_view common_name) {
  const size_t colon = common_name.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  return ParseRole(common_name.substr(0, colon));
}

}  // namespace gridsweep
