#include "common/base/backoff.h"

#include <gtest/gtest.h>

#include <limits>

namespace gridsweep {
namespace {

constexpr BackoffPolicy kPolicy{absl::Seconds(1), absl::Seconds(30)};

TEST(Backoff, CeilingDoublesWithEachFailureUpToTheCap) {
  const absl::Duration expected[] = {absl::Seconds(1),  absl::Seconds(2),  absl::Seconds(4), absl::Seconds(8),
                                     absl::Seconds(16), absl::Seconds(30), absl::Seconds(30)};
  for (int failures = 0; failures < 7; ++failures) {
    EXPECT_EQ(BackoffDelay(kPolicy, failures, 0.5), 0.5 * expected[failures]) << failures;
  }
}

TEST(Backoff, JitterSpreadsOverTheWholeRange) {
  EXPECT_EQ(BackoffDelay(kPolicy, 3, 0.0), absl::ZeroDuration());
  EXPECT_EQ(BackoffDelay(kPolicy, 3, 0.25), absl::Seconds(2));
  EXPECT_LT(BackoffDelay(kPolicy, 3, 0.999), absl::Seconds(8));
}

TEST(Backoff, AnyNumberOfFailuresIsHarmless) {
  EXPECT_EQ(BackoffDelay(kPolicy, std::numeric_limits<int>::max(), 0.5), absl::Seconds(15));
}

}  // namespace
}  // namespace gridsweep
