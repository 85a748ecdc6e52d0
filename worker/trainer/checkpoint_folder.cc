#include "worker/trainer/checkpoint_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <filesystem>
#include <utility>

#include "common/base/atomic_file.h"
#include "common/base/sha256.h"

namespace gridsweep {
namespace {

constexpr std::string_view kSuffix = ".safetensors";
constexpr std::chrono::hours kAbandoned{1};  // longer than any write takes

// Closes on every way out.
class File {
 public:
  explicit File(int fd) : fd_(fd) {}
  ~File() {
    if (fd_ >= 0) close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd() const { return fd_; }

 private:
  const int fd_;
};

void RemoveAbandoned(const std::string& path) {
  std::error_code error;
  const auto now = std::filesystem::file_time_type::clock::now();
  for (std::filesystem::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
    if (it->path().filename().string().find(kUnfinished) == std::string::npos) continue;
    std::error_code ignored;
    const auto written = it->last_write_time(ignored);
    if (!ignored && now - written > kAbandoned) std::filesystem::remove(it->path(), ignored);
  }
}

}  // namespace

absl::StatusOr<CheckpointFolder> CheckpointFolder::Open(const std::string& path) {
  std::error_code error;
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  if (!parent.empty()) std::filesystem::create_directories(parent, error);
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
    return ErrnoError(errno, fmt::format("cannot make folder '{}'", path));
  if (!std::filesystem::is_directory(path, error)) return InvalidArgument("'{}' is no folder", path);
  if (access(path.c_str(), R_OK | W_OK | X_OK) != 0)
    return ErrnoError(errno, fmt::format("cannot use folder '{}'", path));
  RemoveAbandoned(path);
  return CheckpointFolder(path);
}

std::string CheckpointFolder::PathOf(const std::string& sha256) const {
  return fmt::format("{}/{}{}", path_, sha256, kSuffix);
}

absl::StatusOr<StoredFile> CheckpointFolder::Put(std::string_view bytes) const {
  const StoredFile stored{Sha256Hex(bytes), static_cast<int64_t>(bytes.size())};
  if (stored.bytes > kMaxBytes)
    return ResourceExhausted("{} bytes are more than the {} that are kept", stored.bytes, kMaxBytes);
  // Over a file of that name as well: it may be damaged.
  GS_ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::Create(PathOf(stored.sha256), 0600, Existing::kReplace));
  GS_RETURN_IF_ERROR(file.Write(bytes));
  GS_RETURN_IF_ERROR(file.Finish());
  return stored;
}

absl::StatusOr<std::string> CheckpointFolder::Get(const std::string& sha256) const {
  // It comes from far away and becomes a path.
  if (!IsSha256(sha256)) return InvalidArgument("the name is no SHA-256 of 64 hex digits");
  const std::string path = PathOf(sha256);
  const File file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.fd() < 0) return ErrnoError(errno, fmt::format("cannot open '{}'", path));
  struct stat info = {};
  if (fstat(file.fd(), &info) != 0) return ErrnoError(errno, fmt::format("cannot read '{}'", path));
  if (!S_ISREG(info.st_mode)) return DataLoss("'{}' is no file", path);
  if (info.st_size > kMaxBytes) return DataLoss("'{}' has {} bytes, more than are kept", path, info.st_size);
  std::string bytes(static_cast<size_t>(info.st_size), '\0');
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t got = read(file.fd(), bytes.data() + done, bytes.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoError(errno, fmt::format("cannot read '{}'", path));
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  bytes.resize(done);
  if (Sha256Hex(bytes) != sha256) return DataLoss("'{}' is damaged: its SHA-256 is not its name", path);
  return bytes;
}

}  // namespace gridsweep
