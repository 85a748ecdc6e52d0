#include "worker/agent/checkpoint_folder.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <vector>

#include "common/base/atomic_file.h"
#include "common/base/sha256.h"

namespace gridsweep::agent {
namespace {

constexpr char kSuffix[] = ".safetensors";
constexpr size_t kPiece = 256 << 10;

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
  GS_ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::Create(FileOf(sha256), 0600, Existing::kReplace));
  Sha256 hash;
  while (true) {
    GS_ASSIGN_OR_RETURN(const std::string data, next());
    if (data.empty()) break;
    hash.Update(data);
    GS_RETURN_IF_ERROR(file.Write(data));
  }
  if (hash.HexDigest() != sha256) return DataLoss("other bytes than those of {} arrived", sha256);
  return file.Finish();
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
    // Also what a trainer that was killed has left unfinished, but not what is being fetched.
    const std::string name = files->path().filename();
    if (!needed.contains(name.substr(0, name.find('.')))) found.push_back({written, files->path(), size});
  }
  std::sort(found.begin(), found.end(), [](const Found& a, const Found& b) { return a.written < b.written; });
  const auto oldest = std::filesystem::file_time_type::clock::now() - absl::ToChronoSeconds(age);
  for (const Found& file : found) {
    if (file.written >= oldest && bytes <= limit) break;
    if (std::filesystem::remove(file.path, error)) bytes -= file.bytes;
  }
}

}  // namespace gridsweep::agent
