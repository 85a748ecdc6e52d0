// The schema's identity, versions and the way from one to the next.
#pragma once

#include <cstdint>
#include <string>

#include "coordinator/store/sqlite_db.h"

namespace gridsweep {

inline constexpr int64_t kApplicationId = 0x47535750;  // "GSWP", in the header of every database of ours

// The newest schema this build knows, which Migrate leads to.
int64_t SchemaVersion();

// What kind of file a connection found.
struct SchemaIdentity {
  bool is_empty = false;  // nothing in it yet
  int64_t version = 0;
};
// Returns FAILED_PRECONDITION if the file is another application's or has a newer schema, DATA_LOSS if it is
// not a database or fails quick_check. Writes nothing. `path` is for messages.
absl::StatusOr<SchemaIdentity> CheckSchema(Db& db, const std::string& path);

// Brings the schema from `from` to SchemaVersion() in one transaction. On error the file is as before.
absl::Status Migrate(Db& db, int64_t from);

}  // namespace gridsweep
