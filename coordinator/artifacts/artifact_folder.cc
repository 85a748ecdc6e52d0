#include "coordinator/artifacts/artifact_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>
#include <vector>

namespace gridsweep {
namespace {

constexpr std::string_view kSuffix = ".safetensors";
// What is left of the disk for the database.
constexpr uint64_t kDiskReserve = 64 << 20;
constexpr size_t kDigits = 64;

std::optional<uint64_t> AvailableBytes(const std::string& path) {
  std::error_code error;
  const auto disk = std::filesystem::space(path, error);
  return error ? std::nullopt : std::optional<uint64_t>(disk.available);
}

}  // namespace

// --- Pin

ArtifactFolder::Pin::~Pin() {
  if (folder_ == nullptr) return;
  const std::lock_guard lock(folder_->mu_);
  const auto entry = folder_->entries_.find(sha256_);
  if (entry == folder_->entries_.end()) return;
  --entry->second.pins;
  entry->second.touched = ++folder_->clock_;
}

ArtifactFolder::Pin ArtifactFolder::PinLocked(const std::string& sha256) {
  Entry& entry = entries_.at(sha256);
  ++entry.pins;
  entry.touched = ++clock_;
  return Pin(this, sha256);
}

std::optional<ArtifactFolder::Pin> ArtifactFolder::Find(const std::string& sha256) {
  const std::lock_guard lock(mu_);
  const auto entry = entries_.find(sha256);
  if (entry == entries_.end() || !entry->second.is_durable) return std::nullopt;
  // Somebody may have taken it out of the folder.
  if (access(PathOf(sha256).c_str(), R_OK) != 0) {
    if (entry->second.pins == 0) {
      bytes_ -= entry->second.bytes;
      entries_.erase(entry);
    }
    return std::nullopt;
  }
  return PinLocked(sha256);
}

// --- opening

std::string ArtifactFolder::PathOf(const std::string& sha256) const {
  return fmt::format("{}/{}{}", path_, sha256, kSuffix);
}

ArtifactFolder::ArtifactFolder(std::string path, int64_t limit, bool read_only, ArtifactDisk disk)
    : path_(std::move(path)),
      limit_(limit),
      read_only_(read_only),
      disk_{.sync = disk.sync ? std::move(disk.sync) : [](AtomicFile& file) { return file.Sync(); },
            .sync_folder = disk.sync_folder ? std::move(disk.sync_folder) : SyncFolderOf,
            .available = disk.available ? std::move(disk.available) : AvailableBytes} {}

absl::StatusOr<std::unique_ptr<ArtifactFolder>> ArtifactFolder::Open(const std::string& path, int64_t limit,
                                                                     ArtifactDisk disk) {
  std::unique_ptr<ArtifactFolder> folder(new ArtifactFolder(path, limit, false, std::move(disk)));
  GS_RETURN_IF_ERROR(folder->Load());
  return folder;
}

std::unique_ptr<ArtifactFolder> ArtifactFolder::OpenReadOnly(const std::string& path) {
  return std::unique_ptr<ArtifactFolder>(new ArtifactFolder(path, 0, true, {}));
}

absl::Status ArtifactFolder::Load() {
  std::error_code error;
  std::filesystem::create_directories(path_, error);
  std::filesystem::directory_iterator files(path_, error);
  if (error) return ErrnoError(error.value(), fmt::format("cannot use the folder '{}'", path_));
  std::vector<std::filesystem::path> unfinished;
  for (; files != std::filesystem::directory_iterator(); files.increment(error)) {
    const std::string name = files->path().filename();
    std::error_code vanished;
    if (name.find(kUnfinished) != std::string::npos) {
      unfinished.push_back(files->path());
    } else if (name.ends_with(kSuffix) &&
               IsSha256(std::string_view(name).substr(0, name.size() - kSuffix.size()))) {
      const auto size = static_cast<int64_t>(files->file_size(vanished));
      if (vanished) continue;
      entries_[name.substr(0, kDigits)] = {.bytes = size, .is_durable = true};
      bytes_ += size;
    }
    if (error) return ErrnoError(error.value(), fmt::format("cannot read the folder '{}'", path_));
  }
  for (const std::filesystem::path& path : unfinished) std::filesystem::remove(path, error);
  // The last process may have been killed when a file was in its place and its name not yet synced.
  return disk_.sync_folder(path_ + "/");
}

// --- in

absl::StatusOr<std::unique_ptr<ArtifactFolder::Incoming>> ArtifactFolder::Receive(const std::string& sha256,
                                                                                  int64_t bytes) {
  if (read_only_) return FailedPrecondition("'{}' is open for reading only", path_);
  if (!IsSha256(sha256))
    return InvalidArgument("'{}' is no SHA-256, expected 64 lower-case hex digits", sha256.substr(0, 80));
  if (bytes < 1 || bytes > kMaxArtifactBytes)
    return InvalidArgument("a file of {} bytes is not taken, expected 1 to {}", bytes, kMaxArtifactBytes);
  const std::optional<uint64_t> available = disk_.available(path_);
  if (available && *available < static_cast<uint64_t>(bytes) + kDiskReserve)
    return ResourceExhausted("the disk of '{}' is nearly full", path_);
  {
    const std::lock_guard lock(mu_);
    if (bytes_ + bytes > limit_) {
      return ResourceExhausted(
          "'{}' holds {} of at most {} bytes and has no room for {} more (--artifacts-limit)", path_, bytes_,
          limit_, bytes);
    }
    bytes_ += bytes;
  }
  absl::StatusOr<AtomicFile> file = AtomicFile::Create(PathOf(sha256), 0600, Existing::kReplace);
  if (!file.ok()) {
    const std::lock_guard lock(mu_);
    bytes_ -= bytes;
    return file.status();
  }
  return std::unique_ptr<Incoming>(new Incoming(this, sha256, bytes, *std::move(file)));
}

ArtifactFolder::Incoming::Incoming(ArtifactFolder* folder, std::string sha256, int64_t bytes, AtomicFile file)
    : folder_(folder), sha256_(std::move(sha256)), bytes_(bytes), file_(std::move(file)) {}

ArtifactFolder::Incoming::~Incoming() {
  if (!file_) return;
  file_.reset();
  const std::lock_guard lock(folder_->mu_);
  folder_->bytes_ -= bytes_;
}

absl::Status ArtifactFolder::Incoming::Write(std::string_view data) {
  written_ += static_cast<int64_t>(data.size());
  if (written_ > bytes_)
    return InvalidArgument("there are more than the {} bytes that were announced", bytes_);
  hash_.Update(data);
  return file_->Write(data);
}

absl::StatusOr<ArtifactFolder::Pin> ArtifactFolder::Incoming::Finish() {
  if (written_ != bytes_) return InvalidArgument("{} bytes arrived, {} were announced", written_, bytes_);
  const std::string found = hash_.HexDigest();
  if (found != sha256_)
    return InvalidArgument("the bytes have the SHA-256 {}, {} was announced", found, sha256_);
  GS_RETURN_IF_ERROR(folder_->disk_.sync(*file_));
  std::optional<Pin> pin;
  {
    // Together with the entry: a file without one would not be counted, one without a file not be sent.
    const std::lock_guard lock(folder_->mu_);
    GS_RETURN_IF_ERROR(file_->Move());
    file_.reset();
    Entry& entry = folder_->entries_[sha256_];
    folder_->bytes_ -= entry.bytes;  // of the same content, which came on another way meanwhile
    entry.bytes = bytes_;
    pin.emplace(folder_->PinLocked(sha256_));
  }
  GS_RETURN_IF_ERROR(folder_->disk_.sync_folder(folder_->PathOf(sha256_)));
  const std::lock_guard lock(folder_->mu_);
  folder_->entries_.at(sha256_).is_durable = true;  // pinned, so it is there
  return *std::move(pin);
}

// --- out

absl::StatusOr<std::unique_ptr<ArtifactFolder::Outgoing>> ArtifactFolder::Read(const std::string& sha256) {
  if (!IsSha256(sha256))
    return InvalidArgument("'{}' is no SHA-256, expected 64 lower-case hex digits", sha256.substr(0, 80));
  const int fd = open(PathOf(sha256).c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) return NotFound("there is no file {}", sha256);
  if (fd < 0) return ErrnoError(errno, fmt::format("cannot read '{}'", PathOf(sha256)));
  struct stat info {};
  fstat(fd, &info);
  return std::unique_ptr<Outgoing>(new Outgoing(this, sha256, info.st_size, fd));
}

ArtifactFolder::Outgoing::Outgoing(ArtifactFolder* folder, std::string sha256, int64_t bytes, int fd)
    : folder_(folder), sha256_(std::move(sha256)), bytes_(bytes), fd_(fd) {}

ArtifactFolder::Outgoing::~Outgoing() {
  close(fd_);
}

absl::StatusOr<std::string> ArtifactFolder::Outgoing::Next(int64_t size) {
  std::string data(static_cast<size_t>(std::min(size, bytes_ - read_)), '\0');
  size_t filled = 0;
  while (filled < data.size()) {
    const ssize_t count = read(fd_, data.data() + filled, data.size() - filled);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return DataLoss("the file {} cannot be read to its end", sha256_);
    filled += static_cast<size_t>(count);
  }
  hash_.Update(data);
  const bool was_unread = read_ < bytes_ || bytes_ == 0;
  read_ += static_cast<int64_t>(data.size());
  if (read_ < bytes_ || !was_unread) return data;
  if (hash_.HexDigest() == sha256_) return data;
  folder_->Remove(sha256_);
  return DataLoss("the file {} is damaged and has been removed", sha256_);
}

// --- removing

void ArtifactFolder::Remove(const std::string& sha256) {
  if (read_only_) return;
  const std::lock_guard lock(mu_);
  unlink(PathOf(sha256).c_str());
  const auto entry = entries_.find(sha256);
  if (entry == entries_.end() || entry->second.pins > 0) return;
  bytes_ -= entry->second.bytes;
  entries_.erase(entry);
}

absl::StatusOr<int> ArtifactFolder::Collect(
    const std::function<absl::StatusOr<std::set<std::string>>()>& referenced) {
  uint64_t chosen_at = 0;
  std::vector<std::string> candidates;
  {
    const std::lock_guard lock(mu_);
    chosen_at = ++clock_;
    for (const auto& [sha256, entry] : entries_) {
      if (entry.pins == 0) candidates.push_back(sha256);
    }
  }
  if (candidates.empty()) return 0;
  GS_ASSIGN_OR_RETURN(const std::set<std::string> kept, referenced());
  int removed = 0;
  const std::lock_guard lock(mu_);
  for (const std::string& sha256 : candidates) {
    const auto entry = entries_.find(sha256);
    if (kept.contains(sha256) || entry == entries_.end() || entry->second.pins > 0 ||
        entry->second.touched > chosen_at)
      continue;
    unlink(PathOf(sha256).c_str());
    bytes_ -= entry->second.bytes;
    entries_.erase(entry);
    ++removed;
  }
  return removed;
}

int64_t ArtifactFolder::bytes() const {
  const std::lock_guard lock(mu_);
  return bytes_;
}

}  // namespace gridsweep
