#include "common/sweep/sweep_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>

#include "common/sweep/text_check.h"

namespace gridsweep {

absl::StatusOr<std::string> ReadSweepText(const std::string& path) {
  // Standard input is duplicated, not opened by a path: a pipe of another user cannot be opened again.
  std::FILE* const opened = path == "-" ? fdopen(dup(STDIN_FILENO), "rb") : std::fopen(path.c_str(), "rb");
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(opened, &std::fclose);
  if (file == nullptr && path == "-" && errno == EBADF) {
    return InvalidArgument(
        "standard input is closed: with '-' a sweep file is expected there, as in … - < FILE");
  }
  if (file == nullptr) return ErrnoError(errno, fmt::format("cannot open '{}'", path));
  std::string text(kMaxSweepBytes + 1, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file.get()));
  if (std::ferror(file.get()) != 0) {
    if (errno == EISDIR) return InvalidArgument("'{}' is a folder, expected a sweep file", path);
    return ErrnoError(errno, fmt::format("cannot read '{}'", path));
  }
  if (text.size() > kMaxSweepBytes) {
    return InvalidArgument("{}:1:1: the file is larger than the {} bytes a sweep file may have", path,
                           kMaxSweepBytes);
  }
  return text;
}

}  // namespace gridsweep
