#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/job/job_state.h"
#include "common/job/retry_policy.h"
#include "tests/support/status_matchers.h"

namespace gridsweep {
namespace {

using testing::HasSubstr;

TEST(JobState, NamesRoundTrip) {
  for (const JobState state : kAllJobStates) EXPECT_EQ(ParseJobState(JobStateName(state)).value(), state);
  EXPECT_THAT(ParseJobState("done"), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("'done'")));
}

TEST(AttemptState, NamesRoundTrip) {
  for (const AttemptState state : kAllAttemptStates) {
    EXPECT_EQ(ParseAttemptState(AttemptStateName(state)).value(), state);
  }
  EXPECT_THAT(ParseAttemptState(""), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("''")));
}

TEST(JobState, EachStateHasAtMostOneSuccessorPerEvent) {
  for (const JobTransition& a : kJobTransitions) {
    int same = 0;
    for (const JobTransition& b : kJobTransitions) same += a.from == b.from && a.event == b.event ? 1 : 0;
    EXPECT_EQ(same, 1);
  }
}

RetryDecision Decide(AttemptState end, RetryCounters counters = {}, bool retryable = true) {
  return DecideRetry({}, counters, end, retryable, 0.5);
}

TEST(RetryPolicy, ResultsAndCancellationEndTheJobAndCountNothing) {
  const RetryCounters before{2, 1, 7};
  EXPECT_EQ(Decide(AttemptState::kSucceeded, before).event, JobEvent::kSucceeded);
  EXPECT_EQ(Decide(AttemptState::kDiverged, before).event, JobEvent::kDiverged);
  EXPECT_EQ(Decide(AttemptState::kCancelled, before).event, JobEvent::kCancelled);
  EXPECT_EQ(Decide(AttemptState::kSucceeded, before).counters, before);
}

TEST(RetryPolicy, TheThirdFailureExhausts) {
  EXPECT_EQ(Decide(AttemptState::kFailed, {0, 1, 0}).event, JobEvent::kReturned);
  const RetryDecision third = Decide(AttemptState::kFailed, {0, 2, 0});
  EXPECT_EQ(third.event, JobEvent::kExhausted);
  EXPECT_EQ(third.counters, (RetryCounters{0, 3, 0}));
  EXPECT_EQ(third.delay, absl::ZeroDuration());
}

TEST(RetryPolicy, TheFifthLossExhausts) {
  EXPECT_EQ(Decide(AttemptState::kLost, {3, 0, 0}).event, JobEvent::kReturned);
  EXPECT_EQ(Decide(AttemptState::kLost, {4, 0, 0}).event, JobEvent::kExhausted);
}

TEST(RetryPolicy, CountersAreNeverMixed) {
  EXPECT_EQ(Decide(AttemptState::kLost, {0, 2, 0}).event, JobEvent::kReturned);
  EXPECT_EQ(Decide(AttemptState::kFailed, {4, 0, 0}).event, JobEvent::kReturned);
  const RetryDecision preempted = Decide(AttemptState::kPreempted, {4, 2, 1'000});
  EXPECT_EQ(preempted.event, JobEvent::kReturned);
  EXPECT_EQ(preempted.counters, (RetryCounters{4, 2, 1'001}));
}

TEST(RetryPolicy, AFinalFailureExhaustsAtOnce) {
  EXPECT_EQ(Decide(AttemptState::kFailed, {}, false).event, JobEvent::kExhausted);
  EXPECT_EQ(Decide(AttemptState::kLost, {}, false).event, JobEvent::kReturned);
}

TEST(RetryPolicy, OnlyFailuresWait) {
  EXPECT_EQ(Decide(AttemptState::kFailed).delay, absl::Milliseconds(500));
  EXPECT_EQ(Decide(AttemptState::kFailed, {0, 1, 0}).delay, absl::Seconds(1));
  EXPECT_EQ(Decide(AttemptState::kLost).delay, absl::ZeroDuration());
  EXPECT_EQ(Decide(AttemptState::kPreempted).delay, absl::ZeroDuration());
}

TEST(RetryPolicy, EveryDecisionIsLegalForARunningJob) {
  for (const AttemptState end : kAllAttemptStates) {
    if (end == AttemptState::kOpen) continue;
    EXPECT_TRUE(NextState(JobState::kRunning, Decide(end).event).has_value()) << AttemptStateName(end);
  }
}

}  // namespace
}  // namespace gridsweep
