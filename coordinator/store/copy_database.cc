#include "coordinator/store/copy_database.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "common/base/atomic_file.h"

namespace gridsweep {
namespace {

absl::Status Sync(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return ErrnoError(errno, fmt::format("cannot open '{}'", path));
  const bool synced = fsync(fd) == 0;
  const int error = errno;
  close(fd);
  return synced ? absl::OkStatus() : ErrnoError(error, fmt::format("cannot sync '{}'", path));
}

absl::Status Copy(Db& db, const std::string& file) {
  GS_RETURN_IF_ERROR(db.Run("VACUUM INTO ?1", file));
  GS_RETURN_IF_ERROR(Sync(file));
  return SyncFolderOf(file);
}

}  // namespace

absl::Status CopyDatabase(Db& db, const std::string& file) {
  std::error_code error;
  if (std::filesystem::exists(file, error)) return AlreadyExists("'{}' exists already", file);
  const absl::Status status = Copy(db, file);
  if (!status.ok()) {
    for (const char* suffix : {"", "-journal"}) std::filesystem::remove(file + suffix, error);
  }
  return status;
}

}  // namespace gridsweep
