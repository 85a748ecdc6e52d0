#include <cmath>
#include <limits>

#include "tests/contract/store/store_fixture.h"

namespace gridsweep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

class StoreAttemptsTest : public StoreContractTest {
 protected:
  StoreAttemptsTest() : sweep_(s_->Submit()), attempt_(s_->ClaimOne()) {}

  SweepId sweep_;
  OpenAttempt attempt_;
};

TEST_P(StoreAttemptsTest, StartedBindsTheSweepToItsData) {
  ASSERT_THAT(s_->TryStart(attempt_), IsOk());
  const JobDetailRecord job = s_->Job(attempt_.job);
  EXPECT_EQ(job.dataset.digest, "digest-1");
  EXPECT_THAT(job.dataset.class_names, ElementsAre("cat", "dog"));
  EXPECT_EQ(job.dataset.train_size, 90);
  EXPECT_EQ(job.attempts.at(0).device, "cpu");
  EXPECT_EQ(job.attempts.at(0).environment, "x86/1.13");
}

TEST_P(StoreAttemptsTest, StartedOnOtherDataIsRefusedAndStoresNothing) {
  ASSERT_THAT(s_->TryStart(attempt_), IsOk());
  const OpenAttempt second = s_->ClaimOne();
  EXPECT_THAT(s_->TryStart(second, 1, "digest-2"),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("digest-2")));
  EXPECT_EQ(s_->Job(second.job).attempts.at(0).device, "");
  EXPECT_EQ(s_->store().GetAttempt(second.attempt, second.token)->attempt.stored_seq, 0u);
  EXPECT_THAT(s_->TryStart(second, 1, "digest-1"), IsOk());
}

TEST_P(StoreAttemptsTest, EpochsComeBackToTheBit) {
  ASSERT_THAT(s_->TryStart(attempt_), IsOk());
  const EpochMetrics first = MakeEpoch(1, 0.1 + 0.2);
  EpochMetrics second = MakeEpoch(2, 1.0 / 3);
  second.val_loss = std::nullopt;
  second.val_accuracy = std::nullopt;
  second.lr = 5e-324;
  ASSERT_THAT(s_->TryEpoch(attempt_, 2, first), IsOk());
  ASSERT_THAT(s_->TryEpoch(attempt_, 3, second), IsOk());
  EXPECT_THAT(s_->Job(attempt_.job).epochs, ElementsAre(first, second));
}

TEST_P(StoreAttemptsTest, NonFiniteMetricsKeepTheirClass) {
  EpochMetrics epoch = MakeEpoch(1, 0.5);
  epoch.train_loss = kNan;
  epoch.test_loss = kInf;
  epoch.val_loss = -kInf;
  epoch.val_accuracy = std::nullopt;
  epoch.seconds = kNan;
  ASSERT_THAT(s_->TryEpoch(attempt_, 1, epoch), IsOk());
  const EpochMetrics stored = s_->Job(attempt_.job).epochs.at(0);
  EXPECT_TRUE(std::isnan(stored.train_loss));
  EXPECT_EQ(stored.test_loss, kInf);
  EXPECT_EQ(stored.val_loss, -kInf);
  EXPECT_EQ(stored.val_accuracy, std::nullopt);
  EXPECT_TRUE(std::isnan(stored.seconds));
  EXPECT_EQ(stored.test_accuracy, epoch.test_accuracy);
}

TEST_P(StoreAttemptsTest, RepeatedEventIsANoOp) {
  ASSERT_THAT(s_->TryStart(attempt_), IsOk());
  ASSERT_THAT(s_->TryEpoch(attempt_, 2, MakeEpoch(1, 0.5)), IsOk());
  EXPECT_THAT(s_->TryStart(attempt_, 1), IsOk());
  EXPECT_THAT(s_->TryEpoch(attempt_, 2, MakeEpoch(1, 0.9)), IsOk());
  EXPECT_THAT(s_->Job(attempt_.job).epochs, ElementsAre(MakeEpoch(1, 0.5)));
}

TEST_P(StoreAttemptsTest, GapInSequenceIsRefused) {
  EXPECT_THAT(s_->TryEpoch(attempt_, 2, MakeEpoch(1, 0.5)),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("1 is expected")));
  EXPECT_THAT(s_->TryStart(attempt_, 5), StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("not 5")));
  EXPECT_THAT(s_->TryEnd(attempt_, 2, Success()),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("expected")));
  EXPECT_EQ(s_->store().GetAttempt(attempt_.attempt, attempt_.token)->state, AttemptState::kOpen);
}

TEST_P(StoreAttemptsTest, EpochTwiceUnderNewSequenceIsRefusedWhole) {
  ASSERT_THAT(s_->TryEpoch(attempt_, 1, MakeEpoch(1, 0.5)), IsOk());
  EXPECT_THAT(s_->TryEpoch(attempt_, 2, MakeEpoch(1, 0.6)),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("UNIQUE")));
  EXPECT_EQ(s_->store().GetAttempt(attempt_.attempt, attempt_.token)->attempt.stored_seq, 1u);
  EXPECT_THAT(s_->TryEpoch(attempt_, 2, MakeEpoch(0, 0.6)),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("CHECK")));
}

TEST_P(StoreAttemptsTest, WrongTokenChangesNothing) {
  OpenAttempt thief = attempt_;
  thief.token = std::string(32, 'f');
  const auto refused = StatusIs(absl::StatusCode::kAborted, HasSubstr("token"));
  EXPECT_THAT(s_->TryStart(thief), refused);
  EXPECT_THAT(s_->TryEpoch(thief, 1, MakeEpoch(1, 0.5)), refused);
  EXPECT_THAT(s_->TryEnd(thief, 1, Success()), refused);
  EXPECT_THAT(s_->store().ReviveAttempt(thief.attempt, thief.token, At(30)),
              StatusIs(absl::StatusCode::kAborted, HasSubstr("revived")));
  const JobDetailRecord job = s_->Job(attempt_.job);
  EXPECT_EQ(job.job.state, JobState::kRunning);
  EXPECT_THAT(job.epochs, SizeIs(0));
}

TEST_P(StoreAttemptsTest, ZombieCannotTouchItsSuccessor) {
  ASSERT_THAT(s_->TryStart(attempt_), IsOk());
  s_->Lose(attempt_);
  const OpenAttempt successor = s_->ClaimOne(At(30));
  ASSERT_EQ(successor.job, attempt_.job);
  const auto refused = StatusIs(absl::StatusCode::kAborted, HasSubstr("lost"));
  EXPECT_THAT(s_->TryStart(attempt_, 1), refused) << "even for an event that is stored";
  EXPECT_THAT(s_->TryEpoch(attempt_, 2, MakeEpoch(1, 0.9)), refused);
  EXPECT_THAT(s_->TryEnd(attempt_, 2, Success()), refused);
  EXPECT_THAT(s_->store().ReviveAttempt(attempt_.attempt, attempt_.token, At(31)),
              StatusIs(absl::StatusCode::kAborted, HasSubstr("revived")));
  s_->Succeed(successor, {0.5});
  const JobDetailRecord job = s_->Job(attempt_.job);
  EXPECT_EQ(job.job.objective, 0.5);
  ASSERT_THAT(job.attempts, SizeIs(2));
  EXPECT_FALSE(job.attempts[0].accepted);
  EXPECT_TRUE(job.attempts[1].accepted);
}

TEST_P(StoreAttemptsTest, SuccessStoresTheObjectiveAndTheEvaluation) {
  s_->Succeed(attempt_, {0.5, 0.8, 0.7});
  const JobDetailRecord job = s_->Job(attempt_.job);
  EXPECT_EQ(job.job.state, JobState::kSucceeded);
  EXPECT_EQ(job.job.objective, 0.8);
  EXPECT_EQ(job.job.objective_epoch, 2);
  EXPECT_EQ(job.evaluation.confusion, ToyEvaluation().confusion);
  EXPECT_EQ(job.evaluation.predictions, ToyEvaluation().predictions);
  EXPECT_EQ(job.attempts.at(0).ended, At(20));
  EXPECT_THAT(s_->TryEnd(attempt_, 5, Success()),
              StatusIs(absl::StatusCode::kAborted, HasSubstr("succeeded")));
}

TEST_P(StoreAttemptsTest, NonSquareConfusionIsRefusedWhole) {
  AttemptEnd end = Success();
  end.evaluation.confusion = {1, 2, 3};
  EXPECT_THAT(s_->TryEnd(attempt_, 1, end),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("3 entries")));
  EXPECT_EQ(s_->Job(attempt_.job).job.state, JobState::kRunning);
}

TEST_P(StoreAttemptsTest, DivergedJobKeepsItsBestFiniteEpoch) {
  ASSERT_THAT(s_->TryEpoch(attempt_, 1, MakeEpoch(1, 0.4)), IsOk());
  ASSERT_THAT(s_->TryEpoch(attempt_, 2, MakeEpoch(2, kNan)), IsOk());
  s_->Diverge(attempt_);
  const JobDetailRecord job = s_->Job(attempt_.job);
  EXPECT_EQ(job.job.state, JobState::kDiverged);
  EXPECT_EQ(job.job.objective, 0.4);
  EXPECT_EQ(job.job.objective_epoch, 1);
  EXPECT_EQ(job.job.error, "loss became nan");
  EXPECT_TRUE(job.attempts.at(0).accepted);
}

TEST_P(StoreAttemptsTest, ResultWithoutAnyFiniteEpochHasNoObjective) {
  ASSERT_THAT(s_->TryEpoch(attempt_, 1, MakeEpoch(1, kNan)), IsOk());
  s_->Diverge(attempt_);
  EXPECT_EQ(s_->Job(attempt_.job).job.objective, std::nullopt);
  EXPECT_EQ(s_->Job(attempt_.job).job.objective_epoch, 0);
}

TEST_P(StoreAttemptsTest, FailureReturnsTheJobWithItsCounters) {
  s_->Fail(attempt_, "exit code 1", JobState::kPending);
  const JobDetailRecord job = s_->Job(attempt_.job);
  EXPECT_EQ(job.job.state, JobState::kPending);
  EXPECT_EQ(job.job.counters.failures, 1);
  EXPECT_EQ(job.job.error, "exit code 1");
  EXPECT_EQ(job.attempts.at(0).state, AttemptState::kFailed);
  EXPECT_EQ(job.attempts.at(0).stderr_tail, "last words");
  EXPECT_EQ(s_->Sweep(sweep_).jobs.pending, 8);
}

TEST_P(StoreAttemptsTest, EndThatContradictsTheTransitionTableIsRefused) {
  for (const JobState job_state :
       {JobState::kPending, JobState::kRunning, JobState::kDiverged, JobState::kFailed}) {
    AttemptEnd end = Success();
    end.job_state = job_state;
    EXPECT_THAT(s_->TryEnd(attempt_, 1, end),
                StatusIs(absl::StatusCode::kInternal, HasSubstr("cannot leave")));
  }
  EXPECT_EQ(s_->Job(attempt_.job).job.state, JobState::kRunning);
}

TEST_P(StoreAttemptsTest, LostAttemptIsRevivedByItsHolder) {
  ASSERT_THAT(s_->TryStart(attempt_), IsOk());
  s_->Lose(attempt_);
  ASSERT_EQ(s_->Job(attempt_.job).job.counters.losses, 1);
  ASSERT_THAT(s_->store().ReviveAttempt(attempt_.attempt, attempt_.token, At(30)), IsOk());
  const JobDetailRecord job = s_->Job(attempt_.job);
  EXPECT_EQ(job.job.state, JobState::kRunning);
  EXPECT_EQ(job.job.counters.losses, 0);
  EXPECT_EQ(job.attempts.at(0).state, AttemptState::kOpen);
  EXPECT_EQ(job.attempts.at(0).ended, std::nullopt);
  EXPECT_THAT(s_->TryEpoch(attempt_, 2, MakeEpoch(1, 0.5)), IsOk());
  EXPECT_THAT(s_->store().ReviveAttempt(attempt_.attempt, attempt_.token, At(31)),
              StatusIs(absl::StatusCode::kAborted, HasSubstr("revived")))
      << "it is open already";
}

TEST_P(StoreAttemptsTest, OnlyTheNewestAttemptIsRevived) {
  s_->Lose(attempt_);
  const OpenAttempt second = s_->ClaimOne(At(30));
  ASSERT_EQ(second.job, attempt_.job);
  s_->Lose(second);
  EXPECT_THAT(s_->store().ReviveAttempt(attempt_.attempt, attempt_.token, At(40)),
              StatusIs(absl::StatusCode::kAborted, HasSubstr("revived")));
  EXPECT_THAT(s_->store().ReviveAttempt(second.attempt, second.token, At(40)), IsOk());
}

TEST_P(StoreAttemptsTest, OnlyALostAttemptOfAPendingJobIsRevived) {
  const auto refused = StatusIs(absl::StatusCode::kAborted, HasSubstr("revived"));
  s_->Fail(attempt_, "boom", JobState::kPending);
  EXPECT_THAT(s_->store().ReviveAttempt(attempt_.attempt, attempt_.token, At(30)), refused);
  const OpenAttempt second = s_->ClaimOne(At(10));
  s_->Lose(second);
  ASSERT_THAT(s_->store().CancelSweep(sweep_, At(40)), IsOk());
  EXPECT_THAT(s_->store().ReviveAttempt(second.attempt, second.token, At(41)), refused);
  EXPECT_THAT(s_->store().ReviveAttempt(AttemptId{99}, second.token, At(41)), refused);
}

GRIDSWEEP_STORE_SUITE(StoreAttemptsTest);

}  // namespace
}  // namespace gridsweep
