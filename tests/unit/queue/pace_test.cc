#include "coordinator/queue/pace.h"

#include <gtest/gtest.h>

namespace gridsweep {
namespace {

constexpr absl::Duration kLeaseTerm = absl::Seconds(30);

TEST(Pace, AFewWorkersAreLively) {
  const Pace busy = ChoosePace(3, true, kLeaseTerm);
  EXPECT_LE(busy.next_call, absl::Seconds(1));
  EXPECT_LE(busy.news, absl::Milliseconds(10)) << "nobody sees such a delay";
  EXPECT_LE(ChoosePace(3, false, kLeaseTerm).next_call, absl::Milliseconds(250));
}

TEST(Pace, ManyWorkersTogetherCallABoundedNumberOfTimesASecond) {
  for (const int64_t workers : {1000, 2000, 5000}) {
    const auto calls = [&](absl::Duration each) {
      return static_cast<double>(workers) / absl::ToDoubleSeconds(each);
    };
    EXPECT_LE(calls(ChoosePace(workers, true, kLeaseTerm).news), 1000) << workers;
    EXPECT_LE(calls(ChoosePace(workers, false, kLeaseTerm).next_call), 250) << workers;
  }
}

TEST(Pace, NobodyWaitsSoLongThatALeaseCouldRunOut) {
  for (const absl::Duration lease : {absl::Seconds(1), kLeaseTerm}) {
    const Pace pace = ChoosePace(1'000'000, true, lease);
    EXPECT_LE(pace.next_call, lease / 3);
    EXPECT_LE(pace.longest_news, lease / 3);
    EXPECT_LE(pace.news, pace.longest_news);
    EXPECT_LE(ChoosePace(1'000'000, false, lease).next_call, lease * 9 / 10) << "an idle one is not given up";
  }
}

TEST(CallSpacer, ACrowdIsSpreadOutWithinABoundedTime) {
  constexpr absl::Duration kDelay = absl::Milliseconds(1000);
  CallSpacer spacer;
  absl::Duration last;
  for (int i = 0; i < 5000; ++i) {  // all at the same moment
    const absl::Duration wait = spacer.Plan(absl::Seconds(7), kDelay, 2 * kDelay);
    EXPECT_GE(wait, i == 0 ? kDelay : last);
    EXPECT_LE(wait, 2 * kDelay);
    if (i > 0 && wait < 2 * kDelay) {
      EXPECT_GT(wait, last) << i;
    }
    last = wait;
  }
  EXPECT_EQ(last, 2 * kDelay) << "so many cannot be kept apart";
}

TEST(CallSpacer, CallsThatAreApartAnywayWaitNoLonger) {
  CallSpacer spacer;
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(spacer.Plan(absl::Milliseconds(2 * i), absl::Milliseconds(10), absl::Milliseconds(20)),
              absl::Milliseconds(10));
  }
}

}  // namespace
}  // namespace gridsweep
