// The tokens that a coordinator accepts.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/status.h"
#include "coordinator/security/roles.h"

namespace gridsweep {

struct TokenEntry {
  std::string id;  // for people and logs: "worker-3f9a"
  Role role = Role::kViewer;
  std::string sha256;  // of the token, 64 hex digits: the token itself is nowhere
};

// A JSON file of them, written by `gridsweep-coordinator init`, `token` and `revoke`. A change of the file takes effect with
// the next call, without a restart; a file that cannot be read any more lets nobody in. Thread-safe.
class TokenStore {
 public:
  explicit TokenStore(std::string file) : file_(std::move(file)) {}

  // Whose token it is; nullopt if nobody's. Takes the same time for every token of one length.
  absl::StatusOr<std::optional<TokenEntry>> Find(std::string_view token);

 private:
  struct Stamp {
    int64_t inode = 0, size = 0, changed_ns = 0;
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };
  absl::Status Refresh();

  const std::string file_;
  std::mutex mutex_;
  Stamp stamp_;                      // guarded by mutex_
  std::vector<TokenEntry> entries_;  // guarded by mutex_
};

// NOT_FOUND without the file; FAILED_PRECONDITION if others may write to it, or it is no file of tokens.
absl::StatusOr<std::vector<TokenEntry>> ReadTokens(const std::string& file);
// Replaces the file as a whole, readable for its owner alone.
absl::Status WriteTokens(const std::string& file, const std::vector<TokenEntry>& entries);

struct NewToken {
  std::string token;  // 64 hex digits, 256 bits
  TokenEntry entry;
};
NewToken MakeToken(Role role);

}  // namespace gridsweep
