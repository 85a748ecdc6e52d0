#include "coordinator/net/listening_sockets.h"

#include "tests/support/raw_client.h"
#include "tests/support/status_matchers.h"

namespace gridsweep {
namespace {

using absl::StatusCode;
using testing::AllOf;
using testing::HasSubstr;

TEST(ListeningSockets, APortOfItsOwnIsFoundAndCanBeReached) {
  for (const char* address : {"127.0.0.1:0", "localhost:0"}) {
    const auto sockets = ListeningSockets::Bind(address);
    ASSERT_THAT(sockets, IsOk()) << address;
    EXPECT_GT(sockets->port(), 0);
    EXPECT_TRUE(RawClient(fmt::format("127.0.0.1:{}", sockets->port())).connected()) << address;
  }
}

TEST(ListeningSockets, TwoCannotHaveOnePort) {
  const auto first = ListeningSockets::Bind("127.0.0.1:0");
  ASSERT_THAT(first, IsOk());
  const std::string address = fmt::format("127.0.0.1:{}", first->port());
  EXPECT_THAT(ListeningSockets::Bind(address),
              StatusIs(StatusCode::kUnavailable, AllOf(HasSubstr(address), HasSubstr("in use"))));
}

TEST(ListeningSockets, WhatIsNotOfThisMachineIsRefused) {
  EXPECT_THAT(ListeningSockets::Bind("192.0.2.1:0"),
              StatusIs(StatusCode::kUnavailable, HasSubstr("not of this machine")));
  EXPECT_THAT(ListeningSockets::Bind("no-such-host.invalid:7077"),
              StatusIs(StatusCode::kUnavailable, HasSubstr("'no-such-host.invalid:7077'")));
  EXPECT_THAT(ListeningSockets::Bind("127.0.0.1"),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("HOST:PORT")));
}

}  // namespace
}  // namespace gridsweep
