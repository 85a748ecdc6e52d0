// A consistent copy of a database that is in use.
#pragma once

#include <string>

#include "coordinator/store/sqlite_db.h"

namespace gridsweep {

// Writes what `db` sees to `file`, which does not exist yet, and syncs file and folder. On error nothing is left of it.
// RESOURCE_EXHAUSTED: the disk is full. REQUIRES: `db` is not query_only and in no transaction.
absl::Status CopyDatabase(Db& db, const std::string& file);

}  // namespace gridsweep
