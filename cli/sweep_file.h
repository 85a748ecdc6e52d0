// A sweep file read and checked, with its text for submitting it verbatim.
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

// Reads and checks `path` ("-" is standard input) against the built-in catalog. Errors as ReadSweepText and ParseSweep.
absl::StatusOr<SweepFile> ReadSweepFile(const std::string& path, const SweepLimits& limits = {});

}  // namespace gridsweep
