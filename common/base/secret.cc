#include "common/base/secret.h"

#include <openssl/crypto.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>

#include "common/base/atomic_file.h"

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

absl::Status WriteSecretFile(const std::string& path, std::string_view content, bool replace) {
  GS_ASSIGN_OR_RETURN(AtomicFile file,
                      AtomicFile::Create(path, 0600, replace ? Existing::kReplace : Existing::kKeep));
  GS_RETURN_IF_ERROR(file.Write(content));
  // What root replaces, the coordinator's user must still be able to read.
  struct stat old {};
  if (replace && geteuid() == 0 && lstat(path.c_str(), &old) == 0 &&
      fchown(file.fd(), old.st_uid, old.st_gid) != 0)
    return ErrnoError(errno, fmt::format("cannot write '{}'", path));
  return file.Finish();
}

}  // namespace gridsweep
