// Waiting in tests without guessing how long things take: polls until a condition holds, and when it does
// not, says what the world looked like.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>
#include <thread>

namespace gridsweep {

// Generous: only a test that fails takes this long.
inline constexpr std::chrono::seconds kWaitLimit{60};

// Succeeds as soon as `condition` holds. Fails after `limit` with `what` was waited for and `diagnosis()`,
// e.g. the last state seen. Use as EXPECT_TRUE(WaitUntil(…)) or ASSERT_TRUE(WaitUntil(…)).
inline testing::AssertionResult WaitUntil(
    const std::string& what, const std::function<bool()>& condition,
    const std::function<std::string()>& diagnosis = [] { return std::string("nothing known"); },
    std::chrono::steady_clock::duration limit = kWaitLimit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= deadline) {
      return testing::AssertionFailure() << "still waiting for " << what << "; now: " << diagnosis();
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return testing::AssertionSuccess();
}

}  // namespace gridsweep
