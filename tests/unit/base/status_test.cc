#include "common/base/status.h"

#include <gtest/gtest.h>

#include <cerrno>

#include "common/base/random.h"

namespace gridsweep {
namespace {

absl::StatusOr<int> Half(int value) {
  if (value % 2 != 0) return InvalidArgument("'{}' is odd", value);
  return value / 2;
}

absl::StatusOr<int> Quarter(int value) {
  GS_ASSIGN_OR_RETURN(const int half, Half(value));
  return Half(half);
}

absl::Status Check(int value) {
  GS_RETURN_IF_ERROR(Quarter(value).status());
  return absl::OkStatus();
}

TEST(Status, MacrosPassValuesAndErrors) {
  EXPECT_EQ(*Quarter(8), 2);
  EXPECT_EQ(Message(Quarter(6).status()), "'3' is odd");
  EXPECT_TRUE(Check(8).ok());
  EXPECT_TRUE(absl::IsInvalidArgument(Check(7)));
}

TEST(Status, AnnotateKeepsTheCode) {
  const absl::Status status = Annotate(NotFound("no sweep '{}'", "x"), "cannot rank");
  EXPECT_TRUE(absl::IsNotFound(status));
  EXPECT_EQ(Message(status), "cannot rank: no sweep 'x'");
  EXPECT_TRUE(Annotate(absl::OkStatus(), "anything").ok());
}

TEST(Status, ErrnoErrorsHaveACodeThatFits) {
  EXPECT_TRUE(absl::IsNotFound(ErrnoError(ENOENT, "open")));
  EXPECT_TRUE(absl::IsPermissionDenied(ErrnoError(EACCES, "open")));
  EXPECT_TRUE(absl::IsResourceExhausted(ErrnoError(ENOSPC, "write")));
  EXPECT_TRUE(absl::IsInternal(ErrnoError(EIO, "read")));
  EXPECT_EQ(Message(ErrnoError(ENOENT, "cannot open 'x'")), "cannot open 'x': No such file or directory");
}

TEST(Random, HexHasTheAskedLengthAndDoesNotRepeat) {
  EXPECT_EQ(RandomHex(16).size(), 32u);
  EXPECT_EQ(RandomHex(16).find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_NE(RandomHex(16), RandomHex(16));
}

TEST(Random, UnitStaysInItsRange) {
  for (int i = 0; i < 1000; ++i) {
    const double unit = RandomUnit();
    EXPECT_GE(unit, 0.0);
    EXPECT_LT(unit, 1.0);
  }
}

}  // namespace
}  // namespace gridsweep
