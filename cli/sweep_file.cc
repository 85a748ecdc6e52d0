#include "cli/sweep_file.h"

#include "common/sweep/sweep_file.h"

namespace gridsweep {

absl::StatusOr<SweepFile> ReadSweepFile(const std::string& path, const SweepLimits& limits) {
  SweepFile file;
  GS_ASSIGN_OR_RETURN(file.yaml, ReadSweepText(path));
  file.path = path == "-" ? "stdin" : path;
  GS_ASSIGN_OR_RETURN(file.spec, ParseSweep(file.yaml, file.path, Catalog::Builtin(), limits));
  return file;
}

}  // namespace gridsweep
