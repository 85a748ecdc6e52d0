// The folder that trainers write checkpoints and models to: files by content, `<SHA-256>.safetensors`.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>

#include "absl/time/time.h"
#include "common/base/status.h"

namespace gridsweep::agent {

// Has no state but its path: trainers write beside it. REQUIRES: hashes are 64 lower-case hex digits.
class CheckpointFolder {
 public:
  explicit CheckpointFolder(std::string path) : path_(std::move(path)) {}

  // Makes it, for this user alone.
  absl::Status Create() const;
  const std::string& path() const { return path_; }
  std::string FileOf(const std::string& sha256) const;

  // OK if the file is there and its bytes are what its name says. NOT_FOUND; DATA_LOSS: it was damaged, and has been removed.
  absl::Status Check(const std::string& sha256) const;
  // Fills a new file by calling `next` until that answers "", and moves it to its place: all or nothing. DATA_LOSS for other
  // bytes than the name says; the error of `next`.
  absl::Status Add(const std::string& sha256, const std::function<absl::StatusOr<std::string>()>& next) const;
  void Remove(const std::string& sha256) const;
  // Of the files that are not in `needed`, removes those older than `age`, and then the oldest until all together have no more
  // than `limit` bytes.
  void Prune(const std::set<std::string>& needed, int64_t limit, absl::Duration age) const;

 private:
  std::string path_;
};

}  // namespace gridsweep::agent
