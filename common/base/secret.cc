#include "common/base/secret.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fstream>

namespace gridsweep {

bool EqualSecrets(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

absl::StatusOr<std::string> ReadSecretFile(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return ErrnoError(errno, fmt::format("cannot read '{}'", path));
  if ((info.st_mode & 077) != 0) {
    return FailedPrecondition("'{}' holds a secret and others than its owner may read it: chmod 600 '{}'",
                              path, path);
  }
  std::ifstream file(path);
  if (!file.is_open()) return ErrnoError(errno, fmt::format("cannot read '{}'", path));
  std::string line;
  std::getline(file, line);
  const size_t begin = line.find_first_not_of(" \t\r");
  if (begin == std::string::npos) return FailedPrecondition("'{}' is empty, expected a secret", path);
  return line.substr(begin, line.find_last_not_of(" \t\r") - begin + 1);
}

namespace {

// Makes a rename or link in it last over a power cut.
bool SyncFolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool synced = fsync(fd) == 0;
  close(fd);
  return synced;
}

}  // namespace

absl::Status WriteSecretFile(const std::string& path, std::string_view content, bool replace) {
  std::string temporary = path + ".new-XXXXXX";
  const int fd = mkostemp(temporary.data(), O_CLOEXEC);  // mode 0600
  if (fd < 0) return ErrnoError(errno, fmt::format("cannot write '{}'", path));
  bool written = true;
  for (std::string_view rest = content; written && !rest.empty();) {
    const ssize_t count = write(fd, rest.data(), rest.size());
    if (count > 0) rest.remove_prefix(static_cast<size_t>(count));
    written = count > 0 || errno == EINTR;
  }
  // What root replaces, the coordinator's user must still be able to read.
  struct stat old {};
  if (replace && geteuid() == 0 && lstat(path.c_str(), &old) == 0)
    written = written && fchown(fd, old.st_uid, old.st_gid) == 0;
  written = written && fsync(fd) == 0;
  // link, unlike rename, does not replace.
  const bool placed = written && (replace ? rename(temporary.c_str(), path.c_str()) == 0
                                          : link(temporary.c_str(), path.c_str()) == 0);
  const int error = errno;
  close(fd);
  if (!placed || !replace) unlink(temporary.c_str());
  if (placed && SyncFolderOf(path)) return absl::OkStatus();
  if (placed) return ErrnoError(errno, fmt::format("cannot sync the folder of '{}'", path));
  if (error == EEXIST) return AlreadyExists("'{}' exists already", path);
  return ErrnoError(error, fmt::format("cannot write '{}'", path));
}

}  // namespace gridsweep
