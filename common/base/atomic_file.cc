#include "common/base/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "common/base/random.h"

namespace gridsweep {
namespace {

absl::Status CannotWrite(int error, const std::string& path) {
  return ErrnoError(error, fmt::format("cannot write '{}'", path));
}

absl::Status NameIsTaken(const std::string& path) {
  return AlreadyExists("'{}' exists already; name another file", path);
}

}  // namespace

absl::StatusOr<AtomicFile> AtomicFile::Create(std::string path, mode_t mode, Existing existing) {
  // Finish would find out as well, but what is written until then may take long to get.
  struct stat info {};
  if (existing == Existing::kKeep && lstat(path.c_str(), &info) == 0) return NameIsTaken(path);
  // Not mkstemp: it knows one mode only, and umask() cannot be asked for without being set, for all threads.
  std::string temporary;
  int fd = -1;
  do {
    temporary = fmt::format("{}{}{}", path, kUnfinished, RandomHex(4));
    fd = open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  } while (fd < 0 && errno == EEXIST);
  if (fd < 0) return CannotWrite(errno, path);
  return AtomicFile(std::move(path), std::move(temporary), fd, existing);
}

AtomicFile::AtomicFile(std::string path, std::string temporary, int fd, Existing existing)
    : path_(std::move(path)), temporary_(std::move(temporary)), fd_(fd), existing_(existing) {}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::move(other.temporary_)),
      fd_(std::exchange(other.fd_, -1)),
      existing_(other.existing_) {}

AtomicFile::~AtomicFile() {
  if (fd_ < 0) return;
  close(fd_);
  unlink(temporary_.c_str());
}

absl::Status AtomicFile::Write(std::string_view data) {
  while (!data.empty()) {
    const ssize_t count = write(fd_, data.data(), data.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return CannotWrite(errno, path_);
    data.remove_prefix(static_cast<size_t>(count));
  }
  return absl::OkStatus();
}

absl::Status AtomicFile::Sync() {
  return fsync(fd_) == 0 ? absl::OkStatus() : CannotWrite(errno, path_);
}

absl::Status AtomicFile::Move() {
  if (existing_ == Existing::kReplace) {
    if (rename(temporary_.c_str(), path_.c_str()) != 0) return CannotWrite(errno, path_);
  } else {
    // Unlike rename, it does not replace.
    if (link(temporary_.c_str(), path_.c_str()) != 0)
      return errno == EEXIST ? NameIsTaken(path_) : CannotWrite(errno, path_);
    unlink(temporary_.c_str());
  }
  close(std::exchange(fd_, -1));
  return absl::OkStatus();
}

absl::Status AtomicFile::Finish() {
  GS_RETURN_IF_ERROR(Sync());
  GS_RETURN_IF_ERROR(Move());
  return SyncFolderOf(path_);
}

absl::Status SyncFolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  // Some network file systems cannot sync folders, and say EINVAL.
  const bool synced = fd >= 0 && (fsync(fd) == 0 || errno == EINVAL);
  const int error = errno;
  if (fd >= 0) close(fd);
  return synced ? absl::OkStatus() : ErrnoError(error, fmt::format("cannot sync the folder of '{}'", path));
}

}  // namespace gridsweep
