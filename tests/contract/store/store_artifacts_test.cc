// Checkpoints and models: who may record them, and which are kept.
#include "tests/contract/store/store_fixture.h"

namespace gridsweep {
namespace {

using absl::StatusCode;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::string Hash(char digit) {
  return std::string(64, digit);
}

// 12 jobs of one cell, one model each.
constexpr char kManySeeds[] = R"(name: many
dataset: toy
training: {epochs: 1, validation: 0.1}
seeds: 12
grid: {model: mlp}
)";

class StoreArtifactsTest : public StoreContractTest {
 protected:
  ArtifactClaim Claim(const OpenAttempt& attempt, int64_t epoch) {
    return {attempt.attempt, attempt.token, epoch};
  }
  absl::Status Record(const OpenAttempt& attempt, int64_t epoch, char digit) {
    const ArtifactClaim claim = Claim(attempt, epoch);
    return s_->store().RecordCheckpoint({&claim, 1}, Hash(digit), 100, At(15));
  }
  absl::StatusOr<bool> Wants(const OpenAttempt& attempt, int64_t epoch) {
    const ArtifactClaim claim = Claim(attempt, epoch);
    return s_->store().WantsCheckpoint({&claim, 1});
  }
  std::set<std::string> Referenced() { return s_->reader().ReferencedArtifacts().value(); }
  // The job's next attempt.
  ClaimedJob Again(const OpenAttempt& attempt, int64_t second = 1000) {
    for (const ClaimedJob& job : s_->Claim(100, At(second))) {
      if (job.attempt.job == attempt.job) return job;
    }
    ADD_FAILURE() << "job " << attempt.job.value << " is not leased";
    return {};
  }
};

TEST_P(StoreArtifactsTest, ALeaseCarriesTheLastTwoCheckpoints) {
  s_->Submit();
  const OpenAttempt attempt = s_->ClaimOne();
  EXPECT_EQ(Wants(attempt, 1).value(), true);
  ASSERT_THAT(Record(attempt, 1, 'a'), IsOk());
  EXPECT_EQ(Wants(attempt, 1).value(), false);
  EXPECT_EQ(Wants(attempt, 2).value(), true);
  ASSERT_THAT(Record(attempt, 2, 'b'), IsOk());
  ASSERT_THAT(Record(attempt, 3, 'c'), IsOk());
  ASSERT_THAT(Record(attempt, 3, 'c'), IsOk()) << "a repetition";
  EXPECT_THAT(Referenced(), ElementsAre(Hash('b'), Hash('c')));
  s_->Lose(attempt);
  EXPECT_THAT(Again(attempt).checkpoints, ElementsAre(Hash('c'), Hash('b')));
}

TEST_P(StoreArtifactsTest, OnlyTheHolderOfTheLeaseMayRecord) {
  s_->Submit();
  OpenAttempt attempt = s_->ClaimOne();
  OpenAttempt forged = attempt;
  forged.token = std::string(32, '0');
  EXPECT_THAT(Wants(forged, 1), StatusIs(StatusCode::kAborted, testing::_));
  EXPECT_THAT(Record(forged, 1, 'a'), StatusIs(StatusCode::kAborted, testing::_));
  s_->Lose(attempt);
  EXPECT_THAT(Wants(attempt, 1), StatusIs(StatusCode::kAborted, testing::_));
  EXPECT_THAT(Record(attempt, 1, 'a'), StatusIs(StatusCode::kAborted, testing::_));
  EXPECT_THAT(Referenced(), IsEmpty());
}

TEST_P(StoreArtifactsTest, OfSeveralClaimsThoseThatAreCurrentCount) {
  s_->Submit();
  const std::vector<ClaimedJob> jobs = s_->Claim(2);
  s_->Lose(jobs[0].attempt);
  const std::vector<ArtifactClaim> claims = {Claim(jobs[0].attempt, 1), Claim(jobs[1].attempt, 1)};
  EXPECT_EQ(s_->store().WantsCheckpoint(claims).value(), true);
  ASSERT_THAT(s_->store().RecordCheckpoint(claims, Hash('a'), 100, At(15)), IsOk());
  EXPECT_THAT(Again(jobs[0].attempt).checkpoints, IsEmpty());
}

TEST_P(StoreArtifactsTest, AJobThatIsOverHasNoCheckpoints) {
  const SweepId sweep = s_->Submit();
  const std::vector<ClaimedJob> jobs = s_->Claim(4);
  for (size_t i = 0; i < jobs.size(); ++i)
    ASSERT_THAT(Record(jobs[i].attempt, 1, static_cast<char>('a' + i)), IsOk());
  s_->Succeed(jobs[0].attempt, {0.5});
  s_->Diverge(jobs[1].attempt);
  s_->Fail(jobs[2].attempt, "boom");
  EXPECT_THAT(Referenced(), ElementsAre(Hash('d')));
  ASSERT_THAT(s_->store().CancelSweep(sweep, At(30)), IsOk());
  EXPECT_THAT(Referenced(), IsEmpty());
}

TEST_P(StoreArtifactsTest, AFailureWithoutAnEpochBeyondTheCheckpointDropsIt) {
  s_->Submit();
  const OpenAttempt first = s_->ClaimOne();
  ASSERT_THAT(Record(first, 2, 'a'), IsOk());
  s_->Fail(first, "boom", JobState::kPending);
  OpenAttempt second = Again(first).attempt;
  const auto go_on = [&](const OpenAttempt& attempt, int64_t epochs) {
    EXPECT_THAT(s_->store().RecordStarted(attempt.attempt, attempt.token, 1, ToyData(), "cpu", "e", 2),
                IsOk());
    for (int64_t epoch = 1; epoch <= epochs; ++epoch)
      EXPECT_THAT(s_->TryEpoch(attempt, static_cast<uint64_t>(epoch) + 1, MakeEpoch(epoch, 0.5)), IsOk());
  };
  go_on(second, 3);
  s_->Fail(second, "later", JobState::kPending, At(1001));
  EXPECT_THAT(Referenced(), SizeIs(1)) << "it was of use";
  EXPECT_EQ(s_->Job(first.job).attempts.at(1).resumed_epoch, 2);
  second = Again(first, 2000).attempt;
  go_on(second, 2);
  s_->Fail(second, "at once", JobState::kPending, At(2001));
  EXPECT_THAT(Referenced(), IsEmpty());
}

TEST_P(StoreArtifactsTest, ANewAttemptsCheckpointsAreKeptRatherThanThoseItCouldNotUse) {
  s_->Submit();
  const OpenAttempt first = s_->ClaimOne();
  ASSERT_THAT(Record(first, 4, 'a'), IsOk());
  ASSERT_THAT(Record(first, 5, 'b'), IsOk());
  s_->Lose(first);
  const OpenAttempt second = Again(first).attempt;
  EXPECT_EQ(Wants(second, 1).value(), true);
  ASSERT_THAT(Record(second, 1, 'c'), IsOk());
  EXPECT_THAT(Referenced(), ElementsAre(Hash('b'), Hash('c')));
  ASSERT_THAT(Record(second, 2, 'd'), IsOk());
  EXPECT_THAT(Referenced(), ElementsAre(Hash('c'), Hash('d')));
}

TEST_P(StoreArtifactsTest, ModelsOfTheBestJobsAreKept) {
  const SweepId sweep = s_->Submit(kManySeeds);
  const std::vector<ClaimedJob> jobs = s_->Claim(100);
  ASSERT_THAT(jobs, SizeIs(12));
  EXPECT_THAT(s_->store().WantsModel(Claim(jobs[0].attempt, 1)), StatusIs(StatusCode::kAborted, testing::_))
      << "not over";
  // From the worst to the best.
  for (size_t i = 0; i < jobs.size(); ++i) {
    s_->Succeed(jobs[i].attempt, {0.5 + 0.01 * static_cast<double>(i)});
    ASSERT_EQ(s_->store().WantsModel(Claim(jobs[i].attempt, 1)).value(), true);
    ASSERT_THAT(
        s_->store().RecordModel(Claim(jobs[i].attempt, 1), Hash(static_cast<char>('a' + i)), 100, At(30)),
        IsOk());
  }
  EXPECT_EQ(s_->store().WantsModel(Claim(jobs[11].attempt, 1)).value(), false) << "it is here";
  EXPECT_EQ(s_->store().WantsModel(Claim(jobs[0].attempt, 1)).value(), false) << "ten are better";
  ASSERT_OK_AND_ASSIGN(const std::vector<ModelRecord> models, s_->reader().ListModels(sweep));
  ASSERT_THAT(models, SizeIs(10));
  EXPECT_EQ(models[0].job, jobs[11].attempt.job);
  EXPECT_EQ(models[0].labels.at(0), "mlp");
  EXPECT_EQ(models[9].job, jobs[2].attempt.job);
  ASSERT_OK_AND_ASSIGN(const ModelRecord best, s_->reader().GetModel(jobs[11].attempt.job));
  EXPECT_EQ(best.sha256, Hash('l'));
  EXPECT_EQ(best.epoch, 1);
  EXPECT_THAT(s_->reader().GetModel(jobs[0].attempt.job),
              StatusIs(StatusCode::kNotFound, HasSubstr("10 best")));
  EXPECT_THAT(s_->reader().GetModel(JobId{999}), StatusIs(StatusCode::kNotFound, HasSubstr("no job 999")));
  EXPECT_THAT(Referenced(), SizeIs(10));
}

GRIDSWEEP_STORE_SUITE(StoreArtifactsTest);

}  // namespace
}  // namespace gridsweep
