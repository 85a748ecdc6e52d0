#include "common/base/signals.h"

#include <gtest/gtest.h>

namespace gridsweep {
namespace {

// Leaves the process's signals as it found them.
class SignalCounterTest : public testing::Test {
 protected:
  SignalCounterTest() {
    pthread_sigmask(SIG_SETMASK, nullptr, &mask_);
    sigaction(SIGUSR1, nullptr, &action_);
  }
  ~SignalCounterTest() override {
    sigaction(SIGUSR1, &action_, nullptr);
    pthread_sigmask(SIG_SETMASK, &mask_, nullptr);
  }

 private:
  sigset_t mask_{};
  struct sigaction action_ {};
};

TEST_F(SignalCounterTest, CountsWhatCameSinceTheStart) {
  SignalCounter signals({SIGUSR1, SIGUSR2});
  EXPECT_EQ(signals.Count(), 0);
  raise(SIGUSR1);
  raise(SIGUSR2);
  EXPECT_EQ(signals.Count(), 2);
  raise(SIGUSR1);
  EXPECT_EQ(signals.Count(), 3);
  EXPECT_EQ(signals.Count(), 3);
}

TEST_F(SignalCounterTest, ASignalEndsASleepAndCounts) {
  SignalCounter signals({SIGUSR1});
  raise(SIGUSR1);
  signals.Sleep(absl::Hours(1));
  EXPECT_EQ(signals.Count(), 1);
}

TEST_F(SignalCounterTest, WhatTheCallerHadIgnoredStaysIgnored) {
  std::signal(SIGUSR1, SIG_IGN);
  SignalCounter signals({SIGUSR1});
  raise(SIGUSR1);
  EXPECT_EQ(signals.Count(), 0);
}

}  // namespace
}  // namespace gridsweep
