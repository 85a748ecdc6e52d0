// A file that appears under its name when it is whole, or not at all.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "common/base/status.h"

namespace gridsweep {

// What becomes of a file that has the name already.
enum class Existing { kReplace, kKeep };

// In the name of every file that is not whole yet, behind the name it will have. A writer that is killed leaves such a file:
// who owns the folder may remove it once nobody can be writing it.
inline constexpr std::string_view kUnfinished = ".part-";

// Written beside its place and moved there at the end. Movable; not thread-safe.
//
// Errors are the system's, as ErrnoError has them: NOT_FOUND without the folder, RESOURCE_EXHAUSTED for a full disk. With
// Existing::kKeep they are ALREADY_EXISTS if the name is taken. After an error of Write or Finish nothing more can be done
// with the file but destroy it.
class AtomicFile {
 public:
  // `mode` as for open: less the umask.
  static absl::StatusOr<AtomicFile> Create(std::string path, mode_t mode, Existing existing);
  // Removes what was not moved to its place.
  ~AtomicFile();
  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&&) = delete;

  absl::Status Write(std::string_view data);
  // All that is left to do: afterwards not even a power cut takes the file away. REQUIRES: called once, last. After an error
  // nothing has changed under the name, unless it is the folder that cannot be synced.
  absl::Status Finish();

  // The steps of Finish but the last, SyncFolderOf, for who has something to do between them, such as to take a lock.
  absl::Status Sync();
  absl::Status Move();

  int fd() const { return fd_; }  // to change its owner

 private:
  AtomicFile(std::string path, std::string temporary, int fd, Existing existing);

  std::string path_, temporary_;
  int fd_;  // -1: moved to its place, or to another object
  Existing existing_;
};

// Makes it last over a power cut that a file of this path was moved, linked or made there.
absl::Status SyncFolderOf(const std::string& path);

}  // namespace gridsweep
