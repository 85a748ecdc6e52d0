#include "tests/simulation/fault_disk.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>

#include "common/base/status.h"

namespace gridsweep {
namespace {

constexpr int64_t kSector = 512;

// A file of ours; that of the real VFS follows it in memory.
struct ShimFile {
  sqlite3_file base;
  FaultDisk* disk;
  const char* path;  // lives as long as the file is open; null for temporary ones
  sqlite3_file* real() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

ShimFile* Shim(sqlite3_file* file) {
  return reinterpret_cast<ShimFile*>(file);
}
sqlite3_file* Real(sqlite3_file* file) {
  return Shim(file)->real();
}
const sqlite3_io_methods* Methods(sqlite3_file* file) {
  return Real(file)->pMethods;
}

int Close(sqlite3_file* file) {
  return Methods(file)->xClose(Real(file));
}
int Read(sqlite3_file* file, void* data, int count, sqlite3_int64 offset) {
  return Methods(file)->xRead(Real(file), data, count, offset);
}

int Write(sqlite3_file* file, const void* data, int count, sqlite3_int64 offset) {
  ShimFile* const shim = Shim(file);
  if (const int error = shim->disk->Write(/*is_sync=*/false); error != 0) return error;
  if (shim->path != nullptr) {
    FaultDisk::Unsynced change{
        .offset = offset,
        .before = {},
        .after = std::string(static_cast<const char*>(data), static_cast<size_t>(count))};
    sqlite3_int64 size = 0;
    Methods(file)->xFileSize(Real(file), &size);
    change.size_before = size;
    change.before.resize(static_cast<size_t>(std::clamp<int64_t>(size - offset, 0, count)));
    if (!change.before.empty())
      Methods(file)->xRead(Real(file), change.before.data(), static_cast<int>(change.before.size()), offset);
    shim->disk->unsynced(shim->path).push_back(std::move(change));
  }
  return Methods(file)->xWrite(Real(file), data, count, offset);
}

int Truncate(sqlite3_file* file, sqlite3_int64 size) {
  ShimFile* const shim = Shim(file);
  if (const int error = shim->disk->Write(/*is_sync=*/false); error != 0) return error;
  if (shim->path != nullptr) {
    sqlite3_int64 before = 0;
    Methods(file)->xFileSize(Real(file), &before);
    FaultDisk::Unsynced change{
        .offset = size, .before = {}, .after = {}, .size_before = before, .truncates = true};
    change.before.resize(static_cast<size_t>(std::max<int64_t>(0, before - size)));
    if (!change.before.empty())
      Methods(file)->xRead(Real(file), change.before.data(), static_cast<int>(change.before.size()), size);
    shim->disk->unsynced(shim->path).push_back(std::move(change));
  }
  return Methods(file)->xTruncate(Real(file), size);
}

int Sync(sqlite3_file* file, int /*flags*/) {
  ShimFile* const shim = Shim(file);
  if (const int error = shim->disk->Write(/*is_sync=*/true); error != 0) return error;
  if (shim->path != nullptr) shim->disk->Synced(shim->path);
  return SQLITE_OK;
}

int FileSize(sqlite3_file* file, sqlite3_int64* size) {
  return Methods(file)->xFileSize(Real(file), size);
}
int Lock(sqlite3_file* file, int level) {
  return Methods(file)->xLock(Real(file), level);
}
int Unlock(sqlite3_file* file, int level) {
  return Methods(file)->xUnlock(Real(file), level);
}
int CheckReservedLock(sqlite3_file* file, int* result) {
  return Methods(file)->xCheckReservedLock(Real(file), result);
}
int FileControl(sqlite3_file* file, int what, void* value) {
  return Methods(file)->xFileControl(Real(file), what, value);
}
int SectorSize(sqlite3_file* file) {
  return Methods(file)->xSectorSize(Real(file));
}
int DeviceCharacteristics(sqlite3_file* /*file*/) {
  return 0;  // promises nothing: writes may be torn and reordered
}
int ShmMap(sqlite3_file* file, int page, int size, int extend, void volatile** memory) {
  return Methods(file)->xShmMap(Real(file), page, size, extend, memory);
}
int ShmLock(sqlite3_file* file, int offset, int count, int flags) {
  return Methods(file)->xShmLock(Real(file), offset, count, flags);
}
void ShmBarrier(sqlite3_file* file) {
  Methods(file)->xShmBarrier(Real(file));
}
int ShmUnmap(sqlite3_file* file, int remove) {
  return Methods(file)->xShmUnmap(Real(file), remove);
}

constexpr sqlite3_io_methods kMethods = {2,
                                         Close,
                                         Read,
                                         Write,
                                         Truncate,
                                         Sync,
                                         FileSize,
                                         Lock,
                                         Unlock,
                                         CheckReservedLock,
                                         FileControl,
                                         SectorSize,
                                         DeviceCharacteristics,
                                         ShmMap,
                                         ShmLock,
                                         ShmBarrier,
                                         ShmUnmap,
                                         nullptr,
                                         nullptr};

sqlite3_vfs* RealVfs() {
  return sqlite3_vfs_find(nullptr);
}

int OpenFile(sqlite3_vfs* vfs, const char* path, sqlite3_file* file, int flags, int* out_flags) {
  ShimFile* const shim = Shim(file);
  shim->base.pMethods = nullptr;
  shim->disk = static_cast<FaultDisk*>(vfs->pAppData);
  shim->path = path;
  if (shim->disk->is_dead()) return SQLITE_CANTOPEN;
  const int rc = RealVfs()->xOpen(RealVfs(), path, shim->real(), flags, out_flags);
  if (shim->real()->pMethods != nullptr) shim->base.pMethods = &kMethods;
  return rc;
}

int Delete(sqlite3_vfs* vfs, const char* path, int sync_directory) {
  FaultDisk* const disk = static_cast<FaultDisk*>(vfs->pAppData);
  if (const int error = disk->Write(/*is_sync=*/false); error != 0) return SQLITE_IOERR_DELETE;
  disk->Synced(path);
  return RealVfs()->xDelete(RealVfs(), path, sync_directory);
}

std::string UniqueName() {
  static std::atomic<int> count{0};
  return fmt::format("fault-disk-{}", ++count);
}

// The file as it would be with these changes alone, in their order.
void Reapply(int fd, const FaultDisk::Unsynced& change, size_t bytes) {
  if (change.truncates) {
    [[maybe_unused]] const int done = ftruncate(fd, change.offset);
    return;
  }
  [[maybe_unused]] const ssize_t written = pwrite(fd, change.after.data(), bytes, change.offset);
}

void TakeBack(int fd, const FaultDisk::Unsynced& change) {
  if (!change.before.empty()) {
    [[maybe_unused]] const ssize_t written =
        pwrite(fd, change.before.data(), change.before.size(), change.offset);
  }
  [[maybe_unused]] const int done = ftruncate(fd, change.size_before);
}

}  // namespace

FaultDisk::FaultDisk() : name_(UniqueName()), vfs_(std::make_unique<sqlite3_vfs>(*RealVfs())) {
  vfs_->zName = name_.c_str();
  vfs_->pNext = nullptr;
  vfs_->pAppData = this;
  vfs_->szOsFile += static_cast<int>(sizeof(ShimFile));
  vfs_->xOpen = OpenFile;
  vfs_->xDelete = Delete;
  sqlite3_vfs_register(vfs_.get(), /*makeDflt=*/0);
}

FaultDisk::~FaultDisk() {
  sqlite3_vfs_unregister(vfs_.get());
}

int FaultDisk::Write(bool is_sync) {
  const int io_error = is_sync ? SQLITE_IOERR_FSYNC : SQLITE_IOERR_WRITE;
  if (left_ == 0) return io_error;
  if (left_ > 0 && --left_ == 0) return io_error;
  ++writes_;
  switch (fault_) {
    case Fault::kNone:
      return 0;
    case Fault::kFull:
      return is_sync ? 0 : SQLITE_FULL;
    case Fault::kWriteError:
      return is_sync ? 0 : SQLITE_IOERR_WRITE;
    case Fault::kSyncError:
      return is_sync ? SQLITE_IOERR_FSYNC : 0;
  }
  return 0;
}

void FaultDisk::Revive() {
  left_ = -1;
  fault_ = Fault::kNone;
}

void FaultDisk::LoseUnsynced(std::mt19937_64& random) {
  for (const auto& [path, changes] : unsynced_) {
    const int fd = open(path.c_str(), O_RDWR | O_CLOEXEC);
    if (fd < 0) continue;
    for (auto change = changes.rbegin(); change != changes.rend(); ++change) TakeBack(fd, *change);
    // A disk writes in any order it likes: some later ones arrive without earlier ones.
    const uint64_t kept_of_4 = random() % 5;
    for (const Unsynced& change : changes) {
      if (random() % 4 >= kept_of_4) continue;
      const auto sectors = static_cast<uint64_t>(static_cast<int64_t>(change.after.size()) / kSector);
      const bool torn = sectors > 1 && random() % 4 == 0;
      Reapply(fd, change, torn ? static_cast<size_t>(random() % sectors * kSector) : change.after.size());
    }
    close(fd);
    // The index of the WAL is in memory that is gone.
    if (path.ends_with("-wal")) unlink((path.substr(0, path.size() - 4) + "-shm").c_str());
  }
  unsynced_.clear();
}

}  // namespace gridsweep
