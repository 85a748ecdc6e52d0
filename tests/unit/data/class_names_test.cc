#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/data/dataset.h"

namespace gridsweep {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

std::string Joined(const std::vector<std::string>& names) {
  return fmt::format("{}", fmt::join(names, ""));
}

TEST(ClassNames, KnowsEverySplitOfEmnist) {
  const std::string merged = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghnqrt";
  EXPECT_EQ(Joined(ClassNames("emnist-balanced", "", 47)), merged);
  EXPECT_EQ(Joined(ClassNames("emnist-bymerge", "", 47)), merged);
  EXPECT_EQ(Joined(ClassNames("emnist-byclass", "", 62)),
            "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
  EXPECT_EQ(Joined(ClassNames("emnist-digits", "", 10)), "0123456789");
  EXPECT_EQ(Joined(ClassNames("emnist-mnist", "", 10)), "0123456789");
  const auto letters = ClassNames("emnist-letters", "", 26);
  EXPECT_THAT(letters, SizeIs(26));
  EXPECT_EQ(letters.front(), "A/a");
  EXPECT_EQ(letters.back(), "Z/z");
}

TEST(ClassNames, KnowsMnistAndFashionMnist) {
  EXPECT_EQ(Joined(ClassNames("mnist", "", 10)), "0123456789");
  EXPECT_THAT(ClassNames("fashion-mnist", "", 10),
              ElementsAre("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker",
                          "Bag", "Ankle boot"));
}

TEST(ClassNames, MappingFileComesFirst) {
  EXPECT_THAT(ClassNames("emnist-digits", "0 88\r\n1 89\r\n", 2), ElementsAre("X", "Y"));
}

TEST(ClassNames, MappingWithSeveralCodesAndLabelsFromOne) {
  EXPECT_THAT(ClassNames("emnist-letters", "1 65 97 \n2 66 98 \n", 2), ElementsAre("A/a", "B/b"));
}

TEST(ClassNames, UselessMappingIsIgnored) {
  for (const char* text : {"zero 48\n", "0 48\n2 50\n", "0 48 x\n", "0\n1\n", "0 7\n1 8\n"}) {
    EXPECT_THAT(ClassNames("other", text, 2), ElementsAre("0", "1")) << text;
  }
}

TEST(ClassNames, UnknownSetHasNumbers) {
  EXPECT_THAT(ClassNames("mine", "", 3), ElementsAre("0", "1", "2"));
}

TEST(ClassNames, MappingThatIsTooShortFallsBack) {
  EXPECT_THAT(ClassNames("mine", "0 65\n1 66\n", 3), ElementsAre("0", "1", "2"));
}

}  // namespace
}  // namespace gridsweep
