#include "common/base/address.h"

#include <gtest/gtest.h>

namespace gridsweep {
namespace {

TEST(CheckAddress, TakesHostsWithPorts) {
  for (const char* address : {"127.0.0.1:7077", "localhost:0", "[::1]:65535", "a.b-c:1"})
    EXPECT_TRUE(CheckAddress("address", address).ok()) << address;
}

TEST(CheckAddress, RefusesAnythingElseSayingWhatWasExpected) {
  for (const char* address :
       {"", "foo", "foo:", ":7077", "foo:65536", "localhost:99999", "foo:-1", "foo:1x", "foo: 1"}) {
    const absl::Status status = CheckAddress("address", address);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << address;
    EXPECT_NE(Message(status).find("HOST:PORT"), std::string::npos) << status;
  }
}

}  // namespace
}  // namespace gridsweep
