// Errors as values: absl::Status with fmt-style constructors and the two propagation macros.
//
// Messages are lower case, without a trailing dot, quote the offending value and say what was expected.
// Codes:
//   INVALID_ARGUMENT     the user's file, flag or request is wrong; the message names the place
//   NOT_FOUND            unknown id, name or file
//   ALREADY_EXISTS       the same key with different content
//   FAILED_PRECONDITION  not allowed in this state
//   ABORTED              the lease is no longer the caller's
//   RESOURCE_EXHAUSTED   a limit, memory or disk
//   UNAVAILABLE          try again later
//   DATA_LOSS            a file is corrupt; INTERNAL: our bug
#pragma once

#include <fmt/format.h>

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace gridsweep {

// The message of `status` as a std::string (Debian's abseil has its own string_view, which fmt cannot print).
inline std::string Message(const absl::Status& status) {
  return std::string(status.message().data(), status.message().size());
}

// The code's name, e.g. "NOT_FOUND".
std::string CodeName(absl::StatusCode code);

// `status` with "context: " put before its message; OK stays OK.
absl::Status Annotate(const absl::Status& status, const std::string& context);

// An error for the errno value `error` of `what`, e.g. "cannot open 'x': No such file or directory". ENOENT
// maps to NOT_FOUND, EACCES and EPERM to PERMISSION_DENIED, ENOSPC and EDQUOT to RESOURCE_EXHAUSTED,
// everything else to INTERNAL.
absl::Status ErrnoError(int error, const std::string& what);

template <typename... Args>
absl::Status InvalidArgument(fmt::format_string<Args...> format, Args&&... args) {
  return absl::InvalidArgumentError(fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
absl::Status NotFound(fmt::format_string<Args...> format, Args&&... args) {
  return absl::NotFoundError(fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
absl::Status AlreadyExists(fmt::format_string<Args...> format, Args&&... args) {
  return absl::AlreadyExistsError(fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
absl::Status FailedPrecondition(fmt::format_string<Args...> format, Args&&... args) {
  return absl::FailedPreconditionError(fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
absl::Status Aborted(fmt::format_string<Args...> format, Args&&... args) {
  return absl::AbortedError(fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
absl::Status ResourceExhausted(fmt::format_string<Args...> format, Args&&... args) {
  return absl::ResourceExhaustedError(fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
absl::Status Unavailable(fmt::format_string<Args...> format, Args&&... args) {
  return absl::UnavailableError(fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
absl::Status DataLoss(fmt::format_string<Args...> format, Args&&... args) {
  return absl::DataLossError(fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
absl::Status Internal(fmt::format_string<Args...> format, Args&&... args) {
  return absl::InternalError(fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace gridsweep

#define GS_CONCAT_INNER_(a, b) a##b
#define GS_CONCAT_(a, b) GS_CONCAT_INNER_(a, b)

// Returns from the enclosing function if `expr` is not OK.
#define GS_RETURN_IF_ERROR(expr)                              \
  do {                                                        \
    if (absl::Status gs_status_ = (expr); !gs_status_.ok()) { \
      return gs_status_;                                      \
    }                                                         \
  } while (false)

// Declares or assigns `lhs` from a StatusOr, or returns its error.
#define GS_ASSIGN_OR_RETURN(lhs, expr) GS_ASSIGN_OR_RETURN_(GS_CONCAT_(gs_statusor_, __LINE__), lhs, expr)
#define GS_ASSIGN_OR_RETURN_(tmp, lhs, expr) \
  auto tmp = (expr);                         \
  if (!tmp.ok()) return tmp.status();        \
  lhs = std::move(tmp).value()
