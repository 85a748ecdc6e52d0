// Which file systems a database must not live on.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/status.h"

namespace gridsweep {

// The statfs(2) type of the file system that holds `directory`.
absl::StatusOr<int64_t> FileSystemType(const std::string& directory);

// The name of a network or user-space file system ("nfs"), on which SQLite's locks and shared memory cannot
// be relied upon; empty for all others.
std::string NetworkFileSystemName(int64_t type);

// `path` with its folder (and the file itself, if it is a symbolic link) resolved, so that two spellings of
// one database have one lock file. NOT_FOUND if the folder does not exist.
absl::StatusOr<std::string> ResolveDatabasePath(const std::string& path);

}  // namespace gridsweep
