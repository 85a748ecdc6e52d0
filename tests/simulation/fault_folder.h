// The disk below a folder of files by content: it fails, runs full, and forgets what was not synced when the power goes.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "coordinator/artifacts/artifact_folder.h"
#include "tests/simulation/fault_disk.h"
#include "tests/simulation/sim_random.h"

namespace gridsweep {

// Files are real files. It knows which of their bytes, and which of the folder's names, were synced; real syncs are left out.
// Files that are being written have names of their own, which no power loss keeps. Not thread-safe.
class FaultFolder {
 public:
  enum class DieAt { kNever, kFileSync, kFolderSync };

  explicit FaultFolder(std::string path) : path_(std::move(path)) {}

  // For ArtifactFolder::Open. Must not outlive this.
  ArtifactDisk Disk();
  const std::string& path() const { return path_; }

  void Set(FaultDisk::Fault fault) { fault_ = fault; }
  // The process dies at the next sync of that kind: from then on nothing it does reaches the folder.
  void Die(DieAt at) { die_at_ = at; }
  bool is_dead() const { return is_dead_; }
  // The next sync of the folder fails, and nothing else.
  void FailFolderSync() { fail_folder_sync_ = true; }

  // Takes the folder away from those that still have it open: what they do afterwards has no effect.
  void Unplug();
  // Back again, for the next process. REQUIRES: nobody has it open.
  void Plug();
  // The power was off: names that were not synced may be gone, and removed ones back; files that were not synced are cut off.
  // REQUIRES: as Plug.
  void LoseUnsynced(SimRandom& random);

  // Names and sizes of the whole files, by SHA-256.
  std::map<std::string, int64_t> Files() const;
  // Whether the file is what its name says.
  bool IsWhole(const std::string& sha256) const;
  // The disk's own fault: the file is gone, or holds something else.
  void Damage(const std::string& sha256, bool remove);

 private:
  absl::Status SyncFile(AtomicFile& file);
  absl::Status SyncFolder();
  // Whether a sync is to fail.
  bool Fails(bool is_folder);
  void SyncNames();
  std::string FileOf(const std::string& sha256) const { return path_ + "/" + sha256 + ".safetensors"; }
  std::string Attic() const { return path_ + ".attic"; }  // copies of the names that were synced
  std::string FileInAttic(const std::string& sha256) const { return Attic() + "/" + sha256; }

  const std::string path_;
  FaultDisk::Fault fault_ = FaultDisk::Fault::kNone;
  DieAt die_at_ = DieAt::kNever;
  bool is_dead_ = false;
  bool fail_folder_sync_ = false;
  bool is_unplugged_ = false;
  std::set<uint64_t> synced_;              // inodes of files
  std::map<std::string, uint64_t> names_;  // that were synced, with their inodes
};

}  // namespace gridsweep
