#include <set>

#include "common/base/json.h"
#include "tests/contract/store/store_fixture.h"

namespace gridsweep {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

using StoreClaimTest = StoreContractTest;

TEST_P(StoreClaimTest, ClaimsInJobOrderWithFreshTokens) {
  s_->Submit();
  const std::vector<ClaimedJob> jobs = s_->Claim(3);
  ASSERT_THAT(jobs, SizeIs(3));
  std::set<std::string> tokens;
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(jobs[i].attempt.job, JobId{static_cast<int64_t>(i) + 1});
    EXPECT_EQ(jobs[i].attempt.number, 1);
    EXPECT_EQ(jobs[i].attempt.stored_seq, 0u);
    EXPECT_EQ(jobs[i].attempt.token.size(), 32u);
    tokens.insert(jobs[i].attempt.token);
  }
  EXPECT_THAT(tokens, SizeIs(3));
  EXPECT_EQ(s_->Claim(1).at(0).attempt.job, JobId{4}) << "a leased job is not given twice";
}

TEST_P(StoreClaimTest, JobDocumentIsTheJobOfTheGrid) {
  const SweepSpec spec = ParseOrDie(kSmallSweep);
  const Grid grid(spec);
  s_->Submit();
  const std::vector<ClaimedJob> jobs = s_->Claim(8);
  ASSERT_THAT(jobs, SizeIs(8));
  for (size_t i = 0; i < jobs.size(); ++i) {
    const JobSpec expected = grid.Job(static_cast<int64_t>(i) / 2, spec.seeds[i % 2]);
    EXPECT_EQ(Json::parse(jobs[i].job_json), JobSpecToJson(expected));
  }
}

TEST_P(StoreClaimTest, JobDocumentCarriesTheDigestOnceKnown) {
  s_->Submit();
  ASSERT_THAT(s_->TryStart(s_->ClaimOne()), IsOk());
  const ClaimedJob next = s_->Claim(1).at(0);
  EXPECT_EQ(ParseJson(next.job_json).value().at("dataset_digest"), "digest-1");
}

TEST_P(StoreClaimTest, OldestSweepFirst) {
  s_->Submit(kSmallSweep, "a");
  s_->Submit(kSmallSweep, "b");
  const std::vector<ClaimedJob> jobs = s_->Claim(10);
  ASSERT_THAT(jobs, SizeIs(10));
  EXPECT_EQ(jobs[7].attempt.sweep, SweepId{1});
  EXPECT_EQ(jobs[8].attempt.sweep, SweepId{2});
}

TEST_P(StoreClaimTest, OnlyDataSetsTheWorkerHas) {
  s_->Submit();
  const WorkerId worker = s_->Worker();
  ASSERT_OK_AND_ASSIGN(
      const std::vector<ClaimedJob> other,
      s_->store().ClaimJobs({.worker = worker, .limit = 5, .datasets = {"toys", "to'y"}, .now = At(1)}));
  EXPECT_THAT(other, IsEmpty());
  ASSERT_OK_AND_ASSIGN(const std::vector<ClaimedJob> none,
                       s_->store().ClaimJobs({.worker = worker, .limit = 5, .datasets = {}, .now = At(1)}));
  EXPECT_THAT(none, IsEmpty());
}

TEST_P(StoreClaimTest, UnknownWorkerIsAnError) {
  s_->Submit();
  EXPECT_THAT(s_->store().ClaimJobs({.worker = WorkerId{77}, .limit = 1, .datasets = {"toy"}, .now = At(1)}),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("worker 77")));
}

TEST_P(StoreClaimTest, BackedOffJobWaitsButDoesNotBlockOthers) {
  s_->Submit();
  const OpenAttempt first = s_->ClaimOne(At(10));
  s_->Fail(first, "boom", JobState::kPending, At(20));  // not before 50
  EXPECT_EQ(s_->ClaimOne(At(49)).job, JobId{2});
  EXPECT_EQ(s_->ClaimOne(At(50)).job, first.job);
}

TEST_P(StoreClaimTest, DelayBeyondAnyBackoffCountsAsPassed) {
  s_->Submit();
  const OpenAttempt first = s_->ClaimOne(At(100'000));
  s_->Fail(first, "boom", JobState::kPending, At(100'000));
  EXPECT_EQ(s_->ClaimOne(At(10)).job, first.job) << "the clock was set back by a day";
}

TEST_P(StoreClaimTest, OpenAttemptsAreTheLeasesInOrder) {
  s_->Submit();
  const std::vector<ClaimedJob> jobs = s_->Claim(3);
  s_->Succeed(jobs[1].attempt, {0.5});
  ASSERT_OK_AND_ASSIGN(const std::vector<OpenAttempt> open, s_->store().OpenAttempts());
  ASSERT_THAT(open, SizeIs(2));
  EXPECT_EQ(open[0].attempt, jobs[0].attempt.attempt);
  EXPECT_EQ(open[0].worker, WorkerId{1});
  EXPECT_EQ(open[0].sweep, SweepId{1});
  EXPECT_EQ(open[1].token, jobs[2].attempt.token);
}

TEST_P(StoreClaimTest, GetAttemptTellsWhatBecameOfIt) {
  s_->Submit();
  const OpenAttempt first = s_->ClaimOne();
  ASSERT_OK_AND_ASSIGN(AttemptStatus status, s_->store().GetAttempt(first.attempt, first.token));
  EXPECT_EQ(status.state, AttemptState::kOpen);
  EXPECT_EQ(status.job_state, JobState::kRunning);
  EXPECT_TRUE(status.is_newest);
  s_->Lose(first);
  s_->ClaimOne(At(30));
  ASSERT_OK_AND_ASSIGN(status, s_->store().GetAttempt(first.attempt, first.token));
  EXPECT_EQ(status.state, AttemptState::kLost);
  EXPECT_EQ(status.attempt.counters.losses, 1);
  EXPECT_FALSE(status.is_newest);
  EXPECT_THAT(s_->store().GetAttempt(AttemptId{99}, first.token),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("99")));
  EXPECT_THAT(s_->store().GetAttempt(first.attempt, std::string(32, '0')),
              StatusIs(absl::StatusCode::kAborted, HasSubstr("token")));
}

TEST_P(StoreClaimTest, HasPendingJobsUntilAllAreLeased) {
  EXPECT_FALSE(s_->store().HasPendingJobs().value());
  s_->Submit();
  EXPECT_TRUE(s_->store().HasPendingJobs().value());
  s_->Claim(8);
  EXPECT_FALSE(s_->store().HasPendingJobs().value());
}

GRIDSWEEP_STORE_SUITE(StoreClaimTest);

}  // namespace
}  // namespace gridsweep
