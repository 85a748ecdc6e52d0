#include "worker/agent/sync_schedule.h"

#include <gtest/gtest.h>

namespace gridsweep::agent {
namespace {

constexpr absl::Duration kNever = absl::InfiniteDuration();
constexpr absl::Duration kStart = absl::Hours(1);

class SyncScheduleTest : public testing::Test {
 protected:
  static absl::Duration At(double seconds) { return kStart + absl::Seconds(seconds); }
  // When the next call is due, seen from `now`.
  absl::Duration Due(absl::Duration now, bool has_news = false) const {
    return schedule_.Next(now, has_news);
  }
  void Answer(absl::Duration now, double next_call = 5, double news = 0) {
    schedule_.Begin();
    schedule_.Answered(now, absl::Seconds(next_call), absl::Seconds(news));
  }
  void Fail(absl::Duration now) {
    schedule_.Begin();
    schedule_.Failed(now, /*jitter=*/0.5);
  }

  SyncSchedule schedule_{{absl::Seconds(1), absl::Seconds(8)}, kStart};
};

TEST_F(SyncScheduleTest, OneCallAtATimeEachWithItsNumber) {
  EXPECT_EQ(Due(kStart), kStart);
  EXPECT_EQ(schedule_.Begin(), 1U);
  EXPECT_EQ(Due(At(1), true), kNever);
  EXPECT_FALSE(schedule_.was_answered());
  schedule_.Answered(At(1), absl::Seconds(5), absl::ZeroDuration());
  EXPECT_TRUE(schedule_.was_answered());
  EXPECT_EQ(Due(At(1)), At(6));
  EXPECT_EQ(schedule_.Begin(), 2U);
}

TEST_F(SyncScheduleTest, NewsGoesOutAtOnceUnlessTheCoordinatorWantsNoneYet) {
  Answer(At(0));
  EXPECT_EQ(Due(At(1), true), At(1));
  Answer(At(0), 5, 2);
  EXPECT_EQ(Due(At(1), true), At(2));
  EXPECT_EQ(Due(At(3), true), At(3));
  Answer(At(0), 5, 20);
  EXPECT_EQ(Due(At(1), true), At(5)) << "not later than without news";
}

TEST_F(SyncScheduleTest, WhateverIsAskedForThereIsNeitherAHotLoopNorSilence) {
  Answer(At(0), -3);
  EXPECT_EQ(Due(At(0)), At(0) + absl::Milliseconds(10));
  Answer(At(0), 1e9, 1e9);
  EXPECT_EQ(Due(At(0)), At(60));
  EXPECT_EQ(Due(At(0), true), At(60));
}

TEST_F(SyncScheduleTest, BacksOffWhileTheCoordinatorIsAway) {
  Fail(At(0));
  EXPECT_EQ(Due(At(0), true), At(0.5)) << "news does not hurry it";
  Fail(At(10));
  EXPECT_EQ(Due(At(10)), At(11));
  EXPECT_EQ(schedule_.away_since(), At(0));
  Answer(At(20));
  EXPECT_EQ(schedule_.away_since(), std::nullopt);
  Fail(At(30));
  EXPECT_EQ(Due(At(30)), At(30.5)) << "begins anew";
}

TEST_F(SyncScheduleTest, DrainCutsACallShortAndWantsOneMore) {
  schedule_.Begin();
  EXPECT_FALSE(schedule_.is_last());
  schedule_.Drain(At(1));
  EXPECT_EQ(Due(At(1)), kNever);
  EXPECT_TRUE(schedule_.CutShort(At(2)));
  EXPECT_EQ(Due(At(2)), At(2));
  schedule_.Begin();
  EXPECT_TRUE(schedule_.is_last());
  EXPECT_FALSE(schedule_.CutShort(At(3))) << "only once";
  schedule_.Failed(At(3), 0.5);
  EXPECT_EQ(schedule_.failures_since_drain(), 1);
  EXPECT_FALSE(schedule_.last_was_answered());
  Answer(At(6));
  EXPECT_TRUE(schedule_.last_was_answered());
  EXPECT_EQ(Due(At(6)), At(11));
  EXPECT_EQ(Due(At(6), true), At(6)) << "the end is near";
}

TEST_F(SyncScheduleTest, DrainDoesNotSitOutABackOff) {
  Fail(At(0));
  Fail(At(1));
  EXPECT_GT(Due(At(1)), At(1));
  schedule_.Drain(At(1));
  EXPECT_EQ(Due(At(1)), At(1));
  EXPECT_EQ(schedule_.failures_since_drain(), 0);
}

}  // namespace
}  // namespace gridsweep::agent
