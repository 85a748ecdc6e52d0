// A disk that runs full, fails, and forgets what was not synced when the power goes: a SQLite VFS over the real one.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

struct sqlite3_vfs;

namespace gridsweep {

// Files are real files, so everything else sees them. What a VFS's xSync has not confirmed is remembered with what was there
// before, so that it can be lost. Real syncs are left out, which also makes it fast. Not thread-safe.
class FaultDisk {
 public:
  enum class Fault {
    kNone,
    kFull,        // writes and growing fail with SQLITE_FULL
    kWriteError,  // writes fail
    kSyncError,   // syncs fail, and what they were for may be lost
  };

  FaultDisk();
  ~FaultDisk();
  FaultDisk(const FaultDisk&) = delete;
  FaultDisk& operator=(const FaultDisk&) = delete;

  const std::string& vfs() const { return name_; }

  void Set(Fault fault) { fault_ = fault; }
  // After `writes` more writes and syncs nothing works any more, as for a process that is killed or a machine without
  // power.
  void DieAfter(int64_t writes) { left_ = writes; }
  bool is_dead() const { return left_ == 0; }
  int64_t writes() const { return writes_; }

  // Makes it work again. REQUIRES: all files are closed.
  void Revive();
  // The power was off: of the writes that were not synced each is lost, kept or torn, as `random` has it. REQUIRES: all files
  // are closed.
  void LoseUnsynced(std::mt19937_64& random);

  // For the VFS's functions.
  struct Unsynced {
    int64_t offset = 0;
    std::string before;  // what was there, as far as the file reached
    std::string after;
    int64_t size_before = 0;
    bool truncates = false;  // to `offset`
  };
  // The error to return, or 0. Counts it.
  int Write(bool is_sync);
  std::vector<Unsynced>& unsynced(const std::string& path) { return unsynced_[path]; }
  void Synced(const std::string& path) { unsynced_.erase(path); }

 private:
  const std::string name_;
  std::unique_ptr<sqlite3_vfs> vfs_;
  Fault fault_ = Fault::kNone;
  int64_t left_ = -1;  // writes until it is dead; negative: for ever
  int64_t writes_ = 0;
  std::map<std::string, std::vector<Unsynced>> unsynced_;  // by path, in order
};

}  // namespace gridsweep
