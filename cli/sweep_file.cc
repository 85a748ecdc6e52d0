#include "cli/sweep_file.h"

#include <sys/stat.h>

#include <cerrno>
#include <fstream>
#include <iostream>

namespace gridsweep {
namespace {

// One byte over the reader's limit of 1 MiB, so that the reader refuses a larger file in its own words.
constexpr size_t kMaxRead = (1 << 20) + 1;

std::string ReadUpTo(std::istream& stream, size_t limit) {
  std::string text(limit, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(limit));
  text.resize(static_cast<size_t>(stream.gcount()));
  return text;
}

}  // namespace

absl::StatusOr<SweepFile> ReadSweepFile(const std::string& path) {
  SweepFile file;
  file.path = path == "-" ? "standard input" : path;
  if (path == "-") {
    file.yaml = ReadUpTo(std::cin, kMaxRead);
  } else {
    struct stat info {};
    if (stat(path.c_str(), &info) != 0) return ErrnoError(errno, fmt::format("cannot read '{}'", path));
    if (S_ISDIR(info.st_mode)) return InvalidArgument("'{}' is a folder; expected a sweep file", path);
    std::ifstream stream(path, std::ios::binary);
    if (!stream) return ErrnoError(errno, fmt::format("cannot read '{}'", path));
    file.yaml = ReadUpTo(stream, kMaxRead);
  }
  GS_ASSIGN_OR_RETURN(file.spec, ParseSweep(file.yaml, file.path, Catalog::Builtin()));
  return file;
}

}  // namespace gridsweep
