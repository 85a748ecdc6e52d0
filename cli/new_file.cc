#include "cli/new_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

namespace gridsweep {

NewFile::NewFile(std::string path, std::string temporary, int fd, bool replace)
    : path_(std::move(path)), temporary_(std::move(temporary)), fd_(fd), replace_(replace) {}

NewFile::NewFile(NewFile&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::move(other.temporary_)),
      fd_(std::exchange(other.fd_, -1)),
      replace_(other.replace_) {}

NewFile::~NewFile() {
  if (fd_ < 0) return;
  close(fd_);
  unlink(temporary_.c_str());
}

absl::StatusOr<NewFile> NewFile::Create(const std::string& path, bool replace) {
  if (!replace && access(path.c_str(), F_OK) == 0)
    return AlreadyExists("'{}' exists already; name another file", path);
  std::string temporary = path + ".part-XXXXXX";
  const int fd = mkostemp(temporary.data(), O_CLOEXEC);
  if (fd < 0) return ErrnoError(errno, fmt::format("cannot write '{}'", path));
  return NewFile(path, std::move(temporary), fd, replace);
}

absl::Status NewFile::Write(std::string_view data) {
  while (!data.empty()) {
    const ssize_t written = write(fd_, data.data(), data.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return ErrnoError(errno, fmt::format("cannot write '{}'", path_));
    data.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

absl::Status NewFile::Finish() {
  if (fsync(fd_) != 0) return ErrnoError(errno, fmt::format("cannot write '{}'", path_));
  // mkstemp's mode is for secrets; a file that a user asks for follows the umask.
  const mode_t mask = umask(0);
  umask(mask);
  fchmod(fd_, 0666 & ~mask);
  if (replace_) {
    if (rename(temporary_.c_str(), path_.c_str()) != 0)
      return ErrnoError(errno, fmt::format("cannot write '{}'", path_));
    close(std::exchange(fd_, -1));
    return absl::OkStatus();
  }
  // link, unlike rename, does not replace.
  if (link(temporary_.c_str(), path_.c_str()) != 0) {
    if (errno == EEXIST) return AlreadyExists("'{}' exists already; name another file", path_);
    return ErrnoError(errno, fmt::format("cannot write '{}'", path_));
  }
  close(std::exchange(fd_, -1));
  unlink(temporary_.c_str());
  return absl::OkStatus();
}

}  // namespace gridsweep
