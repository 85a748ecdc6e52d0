// Reading a sweep file from disk.
#pragma once

#include <string>

#include "common/base/status.h"

namespace gridsweep {

// The whole text of `path` ("-" is standard input), for ParseSweep and for submitting verbatim. Reads no more than a sweep file may have, whatever
// `path` is. Returns NOT_FOUND or PERMISSION_DENIED if it cannot be opened, INVALID_ARGUMENT if it is a folder or too
// large.
absl::StatusOr<std::string> ReadSweepText(const std::string& path);

}  // namespace gridsweep
