#include "common/base/rate_limiter.h"

#include <gtest/gtest.h>

namespace gridsweep {
namespace {

constexpr absl::Duration kStart = absl::Hours(1);

TEST(RateLimiter, LetsABurstInAndThenTheRate) {
  RateLimiter limiter({.per_second = 10, .burst = 3});
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limiter.Take("a", kStart), absl::ZeroDuration()) << i;
  EXPECT_EQ(limiter.Take("a", kStart), absl::Milliseconds(100));
  EXPECT_EQ(limiter.Take("a", kStart), absl::Milliseconds(100)) << "a refused call costs nothing";
  EXPECT_EQ(limiter.Take("a", kStart + absl::Milliseconds(50)), absl::Milliseconds(50));
  EXPECT_EQ(limiter.Take("a", kStart + absl::Milliseconds(100)), absl::ZeroDuration())
      << "after the advised time";
  EXPECT_GT(limiter.Take("a", kStart + absl::Milliseconds(100)), absl::ZeroDuration());
}

TEST(RateLimiter, APauseFillsTheBucketToTheBrimAndNoFurther) {
  RateLimiter limiter({.per_second = 10, .burst = 3});
  limiter.Take("a", kStart);
  int let_in = 0;
  while (limiter.Take("a", kStart + absl::Hours(10)) == absl::ZeroDuration()) ++let_in;
  EXPECT_EQ(let_in, 3);
}

TEST(RateLimiter, CallersDoNotFeelEachOther) {
  RateLimiter limiter({.per_second = 10, .burst = 1});
  EXPECT_EQ(limiter.Take("a", kStart), absl::ZeroDuration());
  EXPECT_GT(limiter.Take("a", kStart), absl::ZeroDuration());
  EXPECT_EQ(limiter.Take("b", kStart), absl::ZeroDuration());
  EXPECT_TRUE(limiter.Knows("b"));
  EXPECT_FALSE(limiter.Knows("c"));
}

TEST(RateLimiter, AClockThatSeemsToGoBackGivesNothing) {
  RateLimiter limiter({.per_second = 10, .burst = 1});
  EXPECT_EQ(limiter.Take("a", kStart), absl::ZeroDuration());
  EXPECT_GT(limiter.Take("a", kStart - absl::Hours(1)), absl::ZeroDuration());
  EXPECT_GT(limiter.Take("a", kStart), absl::ZeroDuration());
}

TEST(RateLimiter, ForgetsTheIdleAndBoundsTheRest) {
  RateLimiter limiter({.per_second = 1, .burst = 1, .max_callers = 100});
  for (int i = 0; i < 1000; ++i) limiter.Take("caller " + std::to_string(i), kStart);
  EXPECT_LE(limiter.callers(), 101U) << "the named ones and the bucket of all others";
  EXPECT_GT(limiter.Take("one more", kStart), absl::ZeroDuration())
      << "others share one bucket, which is empty";
  EXPECT_GT(limiter.Take("caller 0", kStart), absl::ZeroDuration())
      << "who is known stays known while it matters";

  EXPECT_EQ(limiter.Take("newcomer", kStart + absl::Seconds(10)), absl::ZeroDuration());
  EXPECT_EQ(limiter.callers(), 1U) << "full buckets are as good as none";
}

}  // namespace
}  // namespace gridsweep
