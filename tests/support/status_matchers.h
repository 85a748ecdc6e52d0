// gMock matchers for absl::Status and absl::StatusOr; Debian's abseil ships none.
#pragma once

#include <gmock/gmock.h>

#include <string>

#include "common/base/status.h"

namespace gridsweep {

inline const absl::Status& StatusOf(const absl::Status& status) {
  return status;
}
template <typename T>
const absl::Status& StatusOf(const absl::StatusOr<T>& result) {
  return result.status();
}

MATCHER(IsOk, "is OK") {
  const absl::Status status = StatusOf(arg);
  if (!status.ok()) *result_listener << CodeName(status.code()) << ": " << Message(status);
  return status.ok();
}

// StatusIs(absl::StatusCode::kNotFound, HasSubstr("sweep 7"))
MATCHER_P2(StatusIs, code, message_matcher,
           "is " + CodeName(code) + " with a message that " +
               testing::DescribeMatcher<std::string>(message_matcher)) {
  const absl::Status status = StatusOf(arg);
  *result_listener << CodeName(status.code()) << ": " << Message(status);
  return status.code() == code && testing::Value(Message(status), message_matcher);
}

}  // namespace gridsweep

// Unwraps a StatusOr in a test that returns void, or fails the test.
#define ASSERT_OK_AND_ASSIGN(lhs, expr) \
  ASSERT_OK_AND_ASSIGN_(GS_CONCAT_(gs_test_statusor_, __LINE__), lhs, expr)
#define ASSERT_OK_AND_ASSIGN_(tmp, lhs, expr) \
  auto tmp = (expr);                          \
  ASSERT_THAT(tmp, ::gridsweep::IsOk());      \
  lhs = std::move(tmp).value()
