// Store and StoreReader on one SQLite file.
//
// WAL, synchronous=FULL, exactly one read-write connection, which also does every checkpoint (SQLite
// before 3.51.3 can corrupt a WAL that two connections write or checkpoint at once). Readers are read-only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "coordinator/store/store.h"
#include "coordinator/store/store_reader.h"

namespace gridsweep {

struct StoreOptions {
  // Says when an epoch was stored. Not owned; must outlive the store.
  const Clock* clock = &SystemClock();
  // Makes the tokens of leases, 32 hex digits each; null: from the kernel's generator.
  std::function<std::string()> make_token;
  // The SQLite VFS that files are read and written through; empty: the default one.
  std::string vfs;
  // Limit of the database file in pages of 4096 bytes; 0 for none. Beyond it writes fail as on a full disk.
  int64_t max_pages = 0;
  // The statfs(2) type of the file system that holds a folder; null asks the system.
  std::function<absl::StatusOr<int64_t>(const std::string& folder)> file_system_type;
};

struct StoreFiles {
  std::unique_ptr<Store> store;  // null when opened read-only
  std::unique_ptr<StoreReader> reader;
};

// Opens or creates the database at `path` for writing and migrates it to this version's schema, in one
// transaction. Returns without touching the file:
//   FAILED_PRECONDITION  it is locked by another coordinator (names its pid), is on a network file system,
//   has a newer
//                        schema, or is a SQLite file of another application
//   DATA_LOSS            it is not a SQLite file or fails quick_check
// A lock is held on `path`.lock for the life of the Store.
absl::StatusOr<StoreFiles> OpenSqliteStore(const std::string& path, const StoreOptions& options = {});

// Opens an existing database for reading only, beside a running coordinator or without one. NOT_FOUND if
// there is none.
absl::StatusOr<StoreFiles> OpenSqliteStoreReadOnly(const std::string& path);

// The lock file says who holds the database: {"pid":…,"address":"127.0.0.1:…"}. The coordinator publishes its
// address when it listens, and with `secure` that callers need TLS and a token.
absl::Status PublishAddress(Store& store, const std::string& address, bool secure = false);

}  // namespace gridsweep
