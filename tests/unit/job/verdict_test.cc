#include "common/job/verdict.h"

#include <gtest/gtest.h>

namespace gridsweep {
namespace {

TEST(Verdict, TellsAPoisonousJobFromASickMachine) {
  EXPECT_EQ(DescribeFailure(AttemptState::kLost, true, 5, {"alice", "bob", "carol"}),
            "poison: 3 workers were lost while they trained it (alice, bob and carol)");
  EXPECT_EQ(DescribeFailure(AttemptState::kLost, true, 5, {"alice"}),
            "its worker alice was lost 5 times while it trained it");
  EXPECT_EQ(DescribeFailure(AttemptState::kFailed, true, 3, {"alice", "bob"}),
            "poison: it failed 3 times, on alice and bob");
  EXPECT_EQ(DescribeFailure(AttemptState::kFailed, true, 3, {"alice"}),
            "it failed 3 times, each time on alice");
  EXPECT_EQ(DescribeFailure(AttemptState::kFailed, false, 1, {"alice"}),
            "it cannot be trained, so it was not tried again");
}

}  // namespace
}  // namespace gridsweep
