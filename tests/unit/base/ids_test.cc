#include "common/base/ids.h"

#include <gtest/gtest.h>

#include <concepts>
#include <unordered_set>

namespace gridsweep {
namespace {

static_assert(!std::convertible_to<JobId, AttemptId>, "an id of one kind is none of another");
static_assert(!std::convertible_to<int64_t, JobId>, "a number is no id until somebody says so");

TEST(Ids, CompareAndHashByValue) {
  EXPECT_LT(JobId{1}, JobId{2});
  EXPECT_EQ(JobId{3}, JobId{3});
  const std::unordered_set<JobId> ids{JobId{1}, JobId{2}, JobId{1}};
  EXPECT_EQ(ids.size(), 2u);
  EXPECT_TRUE(ids.contains(JobId{2}));
  EXPECT_EQ(JobId{}.value, 0) << "0 is never a stored id";
}

}  // namespace
}  // namespace gridsweep
