#include "common/base/status.h"

#include <cerrno>
#include <cstring>

namespace gridsweep {

std::string CodeName(absl::StatusCode code) {
  return absl::StatusCodeToString(code);
}

absl::Status Annotate(const absl::Status& status, const std::string& context) {
  if (status.ok()) return status;
  return absl::Status(status.code(), context + ": " + Message(status));
}

absl::Status ErrnoError(int error, const std::string& what) {
  const std::string message = what + ": " + std::strerror(error);
  switch (error) {
    case ENOENT:
      return absl::NotFoundError(message);
    case EACCES:
    case EPERM:
      return absl::PermissionDeniedError(message);
    case ENOSPC:
    case EDQUOT:
      return absl::ResourceExhaustedError(message);
    default:
      return absl::InternalError(message);
  }
}

}  // namespace gridsweep
