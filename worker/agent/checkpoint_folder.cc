#include "worker/agent/checkpoint_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <vector>

#include "common/base/sha256.h"

namespace gridsweep::agent {
namespace {

constexpr char kSuffix[] = ".safetensors";
constexpr size_t kPiece = 256 << 10;

absl::Status WriteAll(int fd, std::string_view data, const std::string& path) {
  while (!data.empty()) {
    const ssize_t count = write(fd, data.data(), data.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return ErrnoError(errno, fmt::format("cannot write '{}'", path));
    data.remove_prefix(static_cast<size_t>(count));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckpointFolder::Create() const {
  std::error_code error;
  const bool is_new = std::filesystem::create_directories(path_, error);
  if (error)
    return ErrnoError(error.value(), fmt::format("cannot make the folder for checkpoints '{}'", path_));
  if (is_new) chmod(path_.c_str(), 0700);
  if (access(path_.c_str(), W_OK | X_OK) == 0) return absl::OkStatus();
  return ErrnoError(errno, fmt::format("cannot write to the folder for checkpoints '{}'", path_));
}

std::string CheckpointFolder::FileOf(const std::string& sha256) const {
  return fmt::format("{}/{}{}", path_, sha256, kSuffix);
}

absl::Status CheckpointFolder::Check(const std::string& sha256) const {
  std::ifstream file(FileOf(sha256), std::ios::binary);
  if (!file) return NotFound("there is no file {}", sha256);
  Sha256 hash;
  std::string piece(kPiece, '\0');
  while (file.read(piece.data(), static_cast<std::streamsize>(piece.size())), file.gcount() > 0)
    hash.Update(piece.data(), static_cast<size_t>(file.gcount()));
  if (hash.HexDigest() == sha256) return absl::OkStatus();
  Remove(sha256);
  return DataLoss("the file {} was damaged", sha256);
}

absl::Status CheckpointFolder::Add(const std::string& sha256,
                                   const std::function<absl::StatusOr<std::string>()>& next) const {
  std::string temporary = fmt::format("{}/{}.part-XXXXXX", path_, sha256);
  const int fd = mkostemp(temporary.data(), O_CLOEXEC);
  if (fd < 0) return ErrnoError(errno, fmt::format("cannot write to '{}'", path_));
  const absl::Status status = [&]() -> absl::Status {
    Sha256 hash;
    while (true) {
      GS_ASSIGN_OR_RETURN(const std::string data, next());
      if (data.empty()) break;
      hash.Update(data);
      GS_RETURN_IF_ERROR(WriteAll(fd, data, temporary));
    }
    if (hash.HexDigest() != sha256) return DataLoss("other bytes than those of {} arrived", sha256);
    if (fsync(fd) != 0 || rename(temporary.c_str(), FileOf(sha256).c_str()) != 0)
      return ErrnoError(errno, fmt::format("cannot write to '{}'", path_));
    return absl::OkStatus();
  }();
  close(fd);
  if (!status.ok()) unlink(temporary.c_str());
  return status;
}

void CheckpointFolder::Remove(const std::string& sha256) const {
  unlink(FileOf(sha256).c_str());
}

void CheckpointFolder::Prune(const std::set<std::string>& needed, int64_t limit, absl::Duration age) const {
  struct Found {
    std::filesystem::file_time_type written;
    std::filesystem::path path;
    int64_t bytes;
  };
  std::vector<Found> found;
  int64_t bytes = 0;
  std::error_code error;
  for (std::filesystem::directory_iterator files(path_, error), end; !error && files != end;
       files.increment(error)) {
    std::error_code vanished;
    const auto size = static_cast<int64_t>(files->file_size(vanished));
    const auto written = files->last_write_time(vanished);
    if (vanished) continue;
    bytes += size;
    // Also what a trainer that was killed has left unfinished.
    if (!needed.contains(files->path().stem())) found.push_back({written, files->path(), size});
  }
  std::sort(found.begin(), found.end(), [](const Found& a, const Found& b) { return a.written < b.written; });
  const auto oldest = std::filesystem::file_time_type::clock::now() - absl::ToChronoSeconds(age);
  for (const Found& file : found) {
    if (file.written >= oldest && bytes <= limit) break;
    if (std::filesystem::remove(file.path, error)) bytes -= file.bytes;
  }
}

}  // namespace gridsweep::agent
