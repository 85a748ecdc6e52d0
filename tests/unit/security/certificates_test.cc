#include "coordinator/security/certificates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/time/clock.h"
#include "tests/support/status_matchers.h"

namespace gridsweep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Certificates, AreIssuedForNamesAndAddressesUntilADay) {
  const absl::Time now = absl::FromUnixSeconds(1'800'000'000);
  ASSERT_OK_AND_ASSIGN(const Identity authority, MakeAuthority("ours", now, absl::Hours(1000)));
  ASSERT_OK_AND_ASSIGN(const Identity server, IssueCertificate(authority, {"coordinator", {"localhost", "127.0.0.1", "::1"}, true},
                                                               now, absl::Hours(10)));
  EXPECT_THAT(server.certificate, HasSubstr("BEGIN CERTIFICATE"));
  EXPECT_THAT(server.key, HasSubstr("BEGIN PRIVATE KEY"));
  ASSERT_OK_AND_ASSIGN(const absl::Time expiry, ExpiryOf(server.certificate));
  EXPECT_EQ(expiry, now + absl::Hours(10));
  EXPECT_THAT(HostsOf(server.certificate).value(), ElementsAre("localhost", "127.0.0.1", "::1"));
}

TEST(Certificates, NeedAnAuthorityWithItsOwnKey) {
  const absl::Time now = absl::Now();
  ASSERT_OK_AND_ASSIGN(Identity authority, MakeAuthority("ours", now, absl::Hours(10)));
  ASSERT_OK_AND_ASSIGN(const Identity other, MakeAuthority("theirs", now, absl::Hours(10)));
  authority.key = other.key;
  EXPECT_THAT(IssueCertificate(authority, {"x", {}, false}, now, absl::Hours(1)),
              StatusIs(absl::StatusCode::kInvalidArgument, testing::_));
  EXPECT_THAT(IssueCertificate({"nonsense", "nonsense"}, {"x", {}, false}, now, absl::Hours(1)),
              StatusIs(absl::StatusCode::kInvalidArgument, testing::_));
  EXPECT_THAT(IssueCertificate(other, {"x", {"a b,DNS:evil"}, true}, now, absl::Hours(1)),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("a b")));
  EXPECT_THAT(ExpiryOf("nonsense"), StatusIs(absl::StatusCode::kInvalidArgument, testing::_));
}

}  // namespace
}  // namespace gridsweep
