// `gridsweep data fetch emnist`, from the flags to the files.
#pragma once

#include <string>
#include <vector>

#include "cli/context.h"
#include "cli/fetch/emnist.h"
#include "common/base/status.h"

namespace gridsweep {

struct FetchEmnistSpec {
  std::vector<std::string> splits = {"balanced"};
  std::string directory;
  std::string url = kEmnistUrl;
  std::string sha256 = kEmnistSha256;  // in hex
  std::string from;                    // an archive on this machine instead of a download
  bool keep_archive = false;           // beside the data, for other splits later
  bool force = false;                  // also where the split is there already
  absl::Duration stall_timeout = absl::Seconds(60);
  absl::Duration retry_pause = absl::Seconds(2);
};

// Makes every wanted split present in the directory; progress and messages go to context.err. Whatever fails, no file of
// a split is left half-written. Errors as Download and ExtractEmnistSplit; INVALID_ARGUMENT for an unknown split.
absl::Status FetchEmnist(const FetchEmnistSpec& spec, Context& context);

}  // namespace gridsweep
