#include "common/data/split.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "common/base/sha256.h"
#include "common/base/status.h"

namespace gridsweep {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// `counts[c]` labels of class c, interleaved.
std::vector<uint8_t> Labels(std::vector<int> counts) {
  std::vector<uint8_t> labels;
  for (bool more = true; more;) {
    more = false;
    for (size_t c = 0; c < counts.size(); ++c) {
      if (counts[c]-- <= 0) continue;
      labels.push_back(static_cast<uint8_t>(c));
      more = true;
    }
  }
  return labels;
}

std::vector<int> PerClass(const std::vector<uint8_t>& labels, const std::vector<int64_t>& indices,
                          size_t classes) {
  std::vector<int> counts(classes);
  for (const int64_t i : indices) ++counts[labels[static_cast<size_t>(i)]];
  return counts;
}

TEST(StratifiedSplit, HoldsOutTheShareOfEachClass) {
  const auto labels = Labels({100, 50, 20});
  const Split split = StratifiedSplit(labels, 3, 0.1, 0);
  EXPECT_THAT(PerClass(labels, split.validation, 3), ElementsAre(10, 5, 2));
  EXPECT_THAT(PerClass(labels, split.train, 3), ElementsAre(90, 45, 18));
}

TEST(StratifiedSplit, TotalIsRoundedNotEachClass) {
  const auto labels = Labels({7, 7, 7, 7});
  const Split split = StratifiedSplit(labels, 4, 0.1, 0);  // 2.8 → 3, although 0.7 of each class
  EXPECT_EQ(split.validation.size(), 3u);
  for (const int count : PerClass(labels, split.validation, 4)) EXPECT_LE(count, 1);
}

TEST(StratifiedSplit, PartsAreAscendingDisjointAndComplete) {
  const auto labels = Labels({31, 17, 90, 1});
  const Split split = StratifiedSplit(labels, 4, 0.23, 0);
  EXPECT_TRUE(std::is_sorted(split.train.begin(), split.train.end()));
  EXPECT_TRUE(std::is_sorted(split.validation.begin(), split.validation.end()));
  std::set<int64_t> all(split.train.begin(), split.train.end());
  all.insert(split.validation.begin(), split.validation.end());
  EXPECT_EQ(all.size(), labels.size());
  EXPECT_EQ(split.train.size() + split.validation.size(), labels.size());
}

TEST(StratifiedSplit, NothingHeldOutKeepsAll) {
  const auto labels = Labels({3, 4});
  const Split split = StratifiedSplit(labels, 2, 0, 0);
  EXPECT_THAT(split.validation, IsEmpty());
  EXPECT_THAT(split.train, ElementsAre(0, 1, 2, 3, 4, 5, 6));
}

TEST(StratifiedSplit, SubsetIsStratifiedAndLeavesTheValidationSetAlone) {
  const auto labels = Labels({1000, 500, 100});
  const Split all = StratifiedSplit(labels, 3, 0.1, 0);
  const Split some = StratifiedSplit(labels, 3, 0.1, 160);
  EXPECT_EQ(some.validation, all.validation);
  EXPECT_THAT(PerClass(labels, some.train, 3), ElementsAre(100, 50, 10));
  EXPECT_TRUE(std::includes(all.train.begin(), all.train.end(), some.train.begin(), some.train.end()));
}

TEST(StratifiedSplit, MoreSamplesThanThereAreKeepsAll) {
  const auto labels = Labels({5, 5});
  EXPECT_EQ(StratifiedSplit(labels, 2, 0, 11).train.size(), 10u);
}

TEST(StratifiedSplit, ClassesWithoutImagesAreFine) {
  EXPECT_EQ(StratifiedSplit(Labels({4, 0, 4}), 3, 0.5, 2).train.size(), 2u);
  EXPECT_TRUE(StratifiedSplit({}, 3, 0.5, 2).train.empty());
}

TEST(StratifiedSplit, PicksFromAllOverTheSet) {
  const auto labels = Labels({1000});
  const Split split = StratifiedSplit(labels, 1, 0.5, 0);
  const auto first_half =
      std::count_if(split.validation.begin(), split.validation.end(), [](int64_t i) { return i < 500; });
  EXPECT_GT(first_half, 200);
  EXPECT_LT(first_half, 300);
}

// The split is part of every recorded result: it must never change between versions, compilers or machines.
TEST(StratifiedSplit, IsTheSameForEver) {
  const auto labels = Labels({300, 200, 100, 7});
  const Split split = StratifiedSplit(labels, 4, 0.15, 250);
  std::string text;
  for (const int64_t i : split.train) text += fmt::format("{} ", i);
  text += "|";
  for (const int64_t i : split.validation) text += fmt::format(" {}", i);
  EXPECT_EQ(Sha256Hex(text), "d10c3ce849832a534f5a1ed604ad60a0ced5b1d1d1156b33bf7645d462740708");
}

}  // namespace
}  // namespace gridsweep
