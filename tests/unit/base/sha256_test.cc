#include "common/base/sha256.h"

#include <gtest/gtest.h>

namespace gridsweep {
namespace {

// Vectors of FIPS 180-2, appendix B, and of the empty message.
TEST(Sha256, MatchesTheStandardsVectors) {
  EXPECT_EQ(Sha256Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Sha256Hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(Sha256, StreamingIsTheSameAsOneShot) {
  Sha256 hash;
  const std::string block(1000, 'a');
  for (int i = 0; i < 1000; ++i) hash.Update(block);
  EXPECT_EQ(hash.HexDigest(), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, HasOneSpelling) {
  EXPECT_TRUE(IsSha256(Sha256Hex("abc")));
  EXPECT_FALSE(IsSha256(""));
  EXPECT_FALSE(IsSha256(std::string(63, 'a')));
  EXPECT_FALSE(IsSha256(std::string(65, 'a')));
  EXPECT_FALSE(IsSha256(std::string(64, 'A')));
  EXPECT_FALSE(IsSha256(std::string(63, 'a') + "g"));
  EXPECT_FALSE(IsSha256(std::string(63, 'a') + "/"));
}

}  // namespace
}  // namespace gridsweep
