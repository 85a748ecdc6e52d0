// A folder of files that are named by their content: `<SHA-256, 64 hex digits>.safetensors`. Free of LibTorch.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/status.h"

namespace gridsweep {

// A file of the folder.
struct StoredFile {
  std::string sha256;
  int64_t bytes = 0;
};

// Several processes may share a folder. Thread-safe.
class CheckpointFolder {
 public:
  // Larger files are neither written nor read: a job that large has few epochs an hour, and may need the memory.
  static constexpr int64_t kMaxBytes = int64_t{512} << 20;

  // Makes the folder where it is missing, for its owner alone, and removes what writers that were killed left in it.
  static absl::StatusOr<CheckpointFolder> Open(const std::string& path);

  // A power cut after this returned leaves the file whole; one before, or a kill at any moment, leaves nothing under its
  // name or the whole file. RESOURCE_EXHAUSTED for a full disk or too large a file.
  absl::StatusOr<StoredFile> Put(std::string_view bytes) const;

  // The file's bytes, verified against its name. INVALID_ARGUMENT if `sha256` is none, NOT_FOUND, DATA_LOSS if the bytes are
  // others.
  absl::StatusOr<std::string> Get(const std::string& sha256) const;

 private:
  explicit CheckpointFolder(std::string path) : path_(std::move(path)) {}

  std::string PathOf(const std::string& sha256) const;

  std::string path_;
};

}  // namespace gridsweep
