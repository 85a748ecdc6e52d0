#include "coordinator/security/token_store.h"

#include <sys/stat.h>

#include <cerrno>
#include <fstream>
#include <sstream>

#include "common/base/json.h"
#include "common/base/random.h"
#include "common/base/secret.h"
#include "common/base/sha256.h"

namespace gridsweep {
namespace {

absl::StatusOr<TokenEntry> EntryFromJson(const Json& json) {
  TokenEntry entry;
  GS_ASSIGN_OR_RETURN(entry.id, GetField<std::string>(json, "id"));
  GS_ASSIGN_OR_RETURN(const std::string role, GetField<std::string>(json, "role"));
  GS_ASSIGN_OR_RETURN(entry.sha256, GetField<std::string>(json, "sha256"));
  const std::optional<Role> known = ParseRole(role);
  if (!known) return FailedPrecondition("token '{}' has the unknown role '{}'", entry.id, role);
  if (entry.sha256.size() != 64)
    return FailedPrecondition("token '{}' has no SHA-256 of 64 digits", entry.id);
  entry.role = *known;
  return entry;
}

}  // namespace

absl::StatusOr<std::vector<TokenEntry>> ReadTokens(const std::string& file) {
  struct stat info {};
  if (stat(file.c_str(), &info) != 0)
    return ErrnoError(errno, fmt::format("cannot read the tokens in '{}'", file));
  if ((info.st_mode & 022) != 0) {
    return FailedPrecondition("others may write to '{}', so its tokens cannot be trusted: chmod go-w '{}'",
                              file, file);
  }
  std::ifstream in(file, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  if (!in) return Unavailable("cannot read the tokens in '{}'", file);
  const absl::StatusOr<Json> json = ParseJson(text.str());
  if (!json.ok() || !json->is_array())
    return FailedPrecondition("'{}' is not a file of tokens; gridsweep-coordinator init makes one", file);
  std::vector<TokenEntry> entries;
  for (const Json& item : *json) {
    absl::StatusOr<TokenEntry> entry = EntryFromJson(item);
    if (!entry.ok()) return FailedPrecondition("'{}': {}", file, Message(entry.status()));
    entries.push_back(*std::move(entry));
  }
  return entries;
}

absl::Status WriteTokens(const std::string& file, const std::vector<TokenEntry>& entries) {
  Json json = Json::array();
  for (const TokenEntry& entry : entries)
    json.push_back({{"id", entry.id}, {"role", RoleName(entry.role)}, {"sha256", entry.sha256}});
  return WriteSecretFile(file, json.dump(2) + "\n", /*replace=*/true);
}

NewToken MakeToken(Role role) {
  NewToken made;
  made.token = RandomHex(32);
  made.entry = {fmt::format("{}-{}", RoleName(role), RandomHex(4)), role, Sha256Hex(made.token)};
  return made;
}

absl::Status TokenStore::Refresh() {
  struct stat info {};
  if (stat(file_.c_str(), &info) != 0) {
    entries_.clear();
    stamp_ = {};
    return ErrnoError(errno, fmt::format("cannot read the tokens in '{}'", file_));
  }
  const Stamp now{static_cast<int64_t>(info.st_ino), static_cast<int64_t>(info.st_size),
                  info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec};
  if (now == stamp_) return absl::OkStatus();
  entries_.clear();
  stamp_ = {};
  GS_ASSIGN_OR_RETURN(entries_, ReadTokens(file_));
  stamp_ = now;
  return absl::OkStatus();
}

absl::StatusOr<std::optional<TokenEntry>> TokenStore::Find(std::string_view token) {
  const std::string hash = Sha256Hex(token);
  const std::lock_guard lock(mutex_);
  GS_RETURN_IF_ERROR(Refresh());
  std::optional<TokenEntry> found;
  for (const TokenEntry& entry : entries_) {  // all of them, so that the time does not tell which
    if (EqualSecrets(entry.sha256, hash)) found = entry;
  }
  return found;
}

}  // namespace gridsweep
