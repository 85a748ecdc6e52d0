// Downloading one large file over a bad line.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/time/time.h"
#include "common/base/status.h"

namespace gridsweep {

struct DownloadSpec {
  std::string url;     // http or https; redirects stay within these
  std::string part;    // where the bytes go; what is there already is kept and the rest asked for
  std::string sha256;  // of the whole, 64 hex digits
  absl::Duration stall_timeout = absl::Seconds(60);  // give up a connection that brings no byte for this long
  int attempts = 5;                                  // connections without progress before giving up
  absl::Duration pause = absl::Seconds(2);           // before trying again, doubled each time
  // Called often with the bytes so far and in total (0 if unknown); false stops the download.
  std::function<bool(int64_t done, int64_t total)> progress;
  // Called with what went wrong before another try.
  std::function<void(const std::string& message)> retry;
};

// Downloads until the file is whole and its checksum right. Interrupted tries leave `part` for the next one. Errors:
//   CANCELLED           progress said so; `part` is kept
//   UNAVAILABLE         the server could not be reached or broke off too often; `part` is kept
//   NOT_FOUND, FAILED_PRECONDITION  the server refused (404, 403, …)
//   RESOURCE_EXHAUSTED  the disk is full; `part` is kept
//   DATA_LOSS           the whole arrived but is not the expected file; `part` is removed
absl::Status Download(const DownloadSpec& spec);

// SHA-256 of a file, as 64 hex digits.
absl::StatusOr<std::string> HashFile(const std::string& path);

}  // namespace gridsweep
