#include "common/rpc/channel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gridsweep {
namespace {

TEST(CheckLoopback, TakesTheAddressesOfThisMachine) {
  for (const char* address : {"127.0.0.1:7077", "127.8.9.10:0", "localhost:7077", "[::1]:7077"}) {
    EXPECT_TRUE(CheckLoopback(address).ok()) << address;
  }
}

TEST(CheckLoopback, RefusesOthersAndSaysWhatToDo) {
  for (const char* address : {"0.0.0.0:7077", "192.168.1.5:7077", "[::]:7077", "127.evil.example:7077",
                              "node3:7077", "128.0.0.1:7077", ":7077", ""}) {
    const absl::Status status = CheckLoopback(address);
    EXPECT_TRUE(absl::IsFailedPrecondition(status)) << address;
    EXPECT_THAT(Message(status), testing::HasSubstr("SSH tunnel"));
  }
}

}  // namespace
}  // namespace gridsweep
