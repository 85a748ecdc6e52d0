#include "tests/simulation/fault_folder.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "common/base/sha256.h"

namespace gridsweep {
namespace {

constexpr size_t kDigits = 64;
constexpr uint64_t kPlenty = uint64_t{1} << 40;

std::optional<uint64_t> InodeOf(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return std::nullopt;
  return info.st_ino;
}

}  // namespace

ArtifactDisk FaultFolder::Disk() {
  return {.sync = [this](AtomicFile& file) { return SyncFile(file); },
          .sync_folder = [this](const std::string&) { return SyncFolder(); },
          .available = [this](const std::string&) -> std::optional<uint64_t> {
            return fault_ == FaultDisk::Fault::kFull ? 0 : kPlenty;
          }};
}

bool FaultFolder::Fails(bool is_folder) {
  if (die_at_ == (is_folder ? DieAt::kFolderSync : DieAt::kFileSync)) {
    Unplug();
    is_dead_ = true;
  }
  const bool fails = is_folder && std::exchange(fail_folder_sync_, false);
  return fails || is_dead_ || fault_ == FaultDisk::Fault::kSyncError ||
         fault_ == FaultDisk::Fault::kWriteError;
}

absl::Status FaultFolder::SyncFile(AtomicFile& file) {
  if (Fails(/*is_folder=*/false)) return ErrnoError(EIO, "cannot sync a file");
  struct stat info {};
  fstat(file.fd(), &info);
  synced_.insert(info.st_ino);
  return absl::OkStatus();
}

absl::Status FaultFolder::SyncFolder() {
  if (Fails(/*is_folder=*/true)) return ErrnoError(EIO, "cannot sync a folder");
  SyncNames();
  return absl::OkStatus();
}

void FaultFolder::SyncNames() {
  std::filesystem::create_directories(Attic());
  std::map<std::string, uint64_t> names;
  std::set<uint64_t> synced;
  for (const auto& [sha256, size] : Files()) {
    const uint64_t inode = InodeOf(FileOf(sha256)).value_or(0);
    names[sha256] = inode;
    if (synced_.contains(inode)) synced.insert(inode);
    const auto old = names_.find(sha256);
    if (old != names_.end() && old->second == inode) continue;
    unlink(FileInAttic(sha256).c_str());
    std::filesystem::create_hard_link(FileOf(sha256), FileInAttic(sha256));
  }
  for (const auto& [sha256, inode] : names_) {
    if (!names.contains(sha256)) unlink(FileInAttic(sha256).c_str());
  }
  names_ = std::move(names);
  synced_ = std::move(synced);  // numbers of inodes are used again
}

void FaultFolder::Unplug() {
  if (std::exchange(is_unplugged_, true)) return;
  std::error_code none_yet;
  std::filesystem::rename(path_, path_ + ".unplugged", none_yet);
}

void FaultFolder::Plug() {
  die_at_ = DieAt::kNever;
  is_dead_ = false;
  if (!std::exchange(is_unplugged_, false)) return;
  std::error_code none_yet;
  std::filesystem::rename(path_ + ".unplugged", path_, none_yet);
}

void FaultFolder::LoseUnsynced(SimRandom& random) {
  for (const auto& [sha256, size] : Files()) {
    const std::string file = FileOf(sha256);
    const uint64_t inode = InodeOf(file).value_or(0);
    const auto name = names_.find(sha256);
    const bool same = name != names_.end() && name->second == inode;
    if (!same && random.Chance(0.5)) {
      // Its name never got there, or still means what it did before.
      unlink(file.c_str());
      if (name != names_.end()) std::filesystem::create_hard_link(FileInAttic(sha256), file);
    }
    if (!synced_.contains(InodeOf(file).value_or(inode))) [[maybe_unused]]
      const int done = truncate(file.c_str(), random.Below(size));
  }
  for (const auto& [sha256, inode] : names_) {
    if (InodeOf(FileOf(sha256)) || random.Chance(0.5)) continue;
    std::filesystem::create_hard_link(FileInAttic(sha256), FileOf(sha256));
  }
  SyncNames();
}

std::map<std::string, int64_t> FaultFolder::Files() const {
  std::map<std::string, int64_t> files;
  std::error_code none_yet;
  for (std::filesystem::directory_iterator file(path_, none_yet);
       !none_yet && file != std::filesystem::directory_iterator(); file.increment(none_yet)) {
    const std::string name = file->path().filename();
    const std::string sha256 = name.substr(0, kDigits);
    if (IsSha256(sha256) && name == sha256 + ".safetensors")
      files[sha256] = static_cast<int64_t>(file->file_size());
  }
  return files;
}

bool FaultFolder::IsWhole(const std::string& sha256) const {
  std::ifstream in(FileOf(sha256), std::ios::binary);
  return in && Sha256Hex(std::string(std::istreambuf_iterator<char>(in), {})) == sha256;
}

void FaultFolder::Damage(const std::string& sha256, bool remove) {
  unlink(FileInAttic(sha256).c_str());
  names_.erase(sha256);
  if (remove) {
    unlink(FileOf(sha256).c_str());
  } else {
    std::ofstream(FileOf(sha256), std::ios::binary) << "damaged";
  }
}

}  // namespace gridsweep
