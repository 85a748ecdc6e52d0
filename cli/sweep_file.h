// Reading a sweep file from disk.
#pragma once

#include <string>

#include "common/base/status.h"
#include "common/sweep/sweep_spec.h"

namespace gridsweep {

struct SweepFile {
  std::string path;
  std::string yaml;  // verbatim
  SweepSpec spec;
};

// Reads and checks `path` ("-" is standard input) against the built-in catalog. Returns NOT_FOUND or PERMISSION_DENIED if
// it cannot be read, else what ParseSweep returns. Reads no more than the reader accepts, whatever the file's size.
absl::StatusOr<SweepFile> ReadSweepFile(const std::string& path);

}  // namespace gridsweep
