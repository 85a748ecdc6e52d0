// Files by content: what trainers hand in, named by the SHA-256 of their bytes, in one folder of bounded size.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "common/base/atomic_file.h"
#include "common/base/sha256.h"
#include "common/base/status.h"

namespace gridsweep {

inline constexpr int64_t kMaxArtifactBytes = 64 << 20;

// What a folder asks of the disk below it, for tests that have one fail. Empty: the real disk.
struct ArtifactDisk {
  std::function<absl::Status(AtomicFile& file)> sync = nullptr;
  std::function<absl::Status(const std::string& path)> sync_folder = nullptr;           // as SyncFolderOf
  std::function<std::optional<uint64_t>(const std::string& path)> available = nullptr;  // bytes, if known
};

// Thread-safe. One process owns a folder; others may read it. Knows nothing of who refers to a file: Collect asks.
class ArtifactFolder {
 public:
  // Keeps a file from being collected, so that it can be recorded. Must not outlive the folder. Movable.
  class Pin {
   public:
    Pin(Pin&& other) noexcept : folder_(other.folder_), sha256_(std::move(other.sha256_)) {
      other.folder_ = nullptr;
    }
    Pin& operator=(Pin&&) = delete;
    ~Pin();

   private:
    friend class ArtifactFolder;
    Pin(ArtifactFolder* folder, std::string sha256) : folder_(folder), sha256_(std::move(sha256)) {}
    ArtifactFolder* folder_;
    std::string sha256_;
  };

  // A file that arrives. Not thread-safe; must not outlive the folder.
  class Incoming {
   public:
    // Removes what is not finished.
    ~Incoming();
    Incoming(const Incoming&) = delete;
    Incoming& operator=(const Incoming&) = delete;

    // INVALID_ARGUMENT for more bytes than were announced, RESOURCE_EXHAUSTED when the disk is full.
    absl::Status Write(std::string_view data);
    // Checks it, syncs it and moves it to its place, all or nothing; it stays pinned. INVALID_ARGUMENT: not the bytes that
    // were announced.
    absl::StatusOr<Pin> Finish();

   private:
    friend class ArtifactFolder;
    Incoming(ArtifactFolder* folder, std::string sha256, int64_t bytes, AtomicFile file);

    ArtifactFolder* const folder_;
    const std::string sha256_;
    const int64_t bytes_;
    std::optional<AtomicFile> file_;  // nullopt: in its place
    int64_t written_ = 0;
    Sha256 hash_;
  };

  // A file on its way out, whatever becomes of it in the folder meanwhile. Not thread-safe; must not outlive the folder.
  class Outgoing {
   public:
    ~Outgoing();
    Outgoing(const Outgoing&) = delete;
    Outgoing& operator=(const Outgoing&) = delete;

    int64_t bytes() const { return bytes_; }
    // The next at most `size` bytes; empty at the end. DATA_LOSS instead of the last ones if they are not what the name says;
    // the file is removed then.
    absl::StatusOr<std::string> Next(int64_t size);

   private:
    friend class ArtifactFolder;
    Outgoing(ArtifactFolder* folder, std::string sha256, int64_t bytes, int fd);

    ArtifactFolder* const folder_;
    const std::string sha256_;
    const int64_t bytes_;
    const int fd_;
    int64_t read_ = 0;
    Sha256 hash_;
  };

  // Makes the folder if need be, and removes what earlier processes have not finished. `limit`: bytes of all files together.
  static absl::StatusOr<std::unique_ptr<ArtifactFolder>> Open(const std::string& path, int64_t limit,
                                                              ArtifactDisk disk = {});
  // To read files beside another process; the folder need not exist. Receive fails.
  static std::unique_ptr<ArtifactFolder> OpenReadOnly(const std::string& path);

  // Reserves the room for a file of `bytes`. INVALID_ARGUMENT for a bad name or size; RESOURCE_EXHAUSTED: over the limit, or
  // little would be left of the disk, which the database needs as well.
  absl::StatusOr<std::unique_ptr<Incoming>> Receive(const std::string& sha256, int64_t bytes);
  // nullopt if there is no such file, or one whose name is not known to outlast a loss of power.
  std::optional<Pin> Find(const std::string& sha256);
  // NOT_FOUND.
  absl::StatusOr<std::unique_ptr<Outgoing>> Read(const std::string& sha256);

  // Removes every file that is neither pinned nor in what `referenced` answers. That is called after the candidates are
  // chosen, so whoever pins a file, records it and then lets go never loses it. Returns how many, or the error of `referenced`.
  absl::StatusOr<int> Collect(const std::function<absl::StatusOr<std::set<std::string>>()>& referenced);

  int64_t bytes() const;  // of all files, and reserved

 private:
  struct Entry {
    int64_t bytes = 0;
    int pins = 0;
    bool is_durable = false;  // its name was synced
    uint64_t touched = 0;     // when it was last pinned
  };

  ArtifactFolder(std::string path, int64_t limit, bool read_only, ArtifactDisk disk);

  absl::Status Load();
  std::string PathOf(const std::string& sha256) const;
  Pin PinLocked(const std::string& sha256);
  // Of a file that is not what its name says.
  void Remove(const std::string& sha256);

  const std::string path_;
  const int64_t limit_;
  const bool read_only_;
  const ArtifactDisk disk_;
  mutable std::mutex mu_;
  std::map<std::string, Entry> entries_;  // guarded by mu_
  int64_t bytes_ = 0;                     // guarded by mu_
  uint64_t clock_ = 0;                    // guarded by mu_; counts pins and collections
};

}  // namespace gridsweep
