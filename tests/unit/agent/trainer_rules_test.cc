// How the core deals with trainers that die, hang, do not stop or do not start.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/agent/agent_core_fixture.h"
#include "worker/agent/agent_core.h"

namespace gridsweep::agent {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

using TrainerRules = AgentCoreTest;

TEST_F(TrainerRules, ATrainerThatDiesWithOneJobHasFailedIt) {
  Register(2);
  TakeLeases({1});
  Epoch(1, 1);
  TrainerDies();
  const AttemptFinished end = ReportedEnd(1);
  EXPECT_EQ(end.outcome, Outcome::kFailed);
  EXPECT_EQ(end.error, "the trainer died: killed by SIGSEGV");
  EXPECT_EQ(end.stderr_tail, "last words");
  EXPECT_TRUE(end.retryable);
  EXPECT_EQ(core_->Room(), 0);
  TrainerReturns();
  EXPECT_EQ(core_->Room(), 2);
}

TEST_F(TrainerRules, ATrainerThatDiesWithSeveralJobsHandsThemBackAndTriesOneAtATime) {
  Register(8);
  TakeLeases({1, 2, 3});
  TrainerDies();
  const auto events = Settle();
  for (const int64_t attempt : {1, 2, 3}) {
    const auto end = std::get<AttemptFinished>(events.at(attempt).back().body);
    EXPECT_EQ(end.outcome, Outcome::kPreempted);
    EXPECT_THAT(end.error, HasSubstr("killed by SIGSEGV"));
    EXPECT_THAT(end.error, HasSubstr("3 jobs"));
    EXPECT_TRUE(end.retry_alone);
  }
  TrainerReturns();
  EXPECT_EQ(core_->Room(), 1);
  for (const int room : {2, 4, 8}) {  // each job that ends well doubles it
    TakeLeases({100 + room});
    Succeeded(100 + room);
    EXPECT_EQ(core_->Room(), room);
    Settle();
  }
}

TEST_F(TrainerRules, AJobThatBringsItsTrainerDownAloneIsTheGuiltyOne) {
  Register(4);
  TakeLeases({1, 2});
  TrainerDies();
  Settle();
  TrainerReturns();
  TakeLeases({3});
  TrainerDies();
  EXPECT_EQ(ReportedEnd(3).outcome, Outcome::kFailed);
  TrainerReturns();
  EXPECT_EQ(core_->Room(), 4);
}

TEST_F(TrainerRules, AJobBesideOneThatIsBeingStoppedIsNotBlamed) {
  Register(2);
  TakeLeases({1, 2});
  now_ += absl::Seconds(5);
  Exchange({}, {2});
  TrainerDies();
  EXPECT_EQ(ReportedEnd(1).outcome, Outcome::kPreempted);
}

TEST_F(TrainerRules, FinishedJobsAreNotTouchedByTheDeath) {
  Register(2);
  TakeLeases({1, 2});
  Succeeded(1);
  TrainerDies();
  const auto events = Settle();
  EXPECT_EQ(std::get<AttemptFinished>(events.at(1).back().body).outcome, Outcome::kSucceeded);
  EXPECT_EQ(std::get<AttemptFinished>(events.at(2).back().body).outcome, Outcome::kFailed)
      << "it was alone by then";
}

TEST_F(TrainerRules, OtherDevicesCarryOnWhenATrainerDies) {
  Create({{.name = "cuda:0", .slots = 1}, {.name = "cuda:1", .slots = 1}});
  Hello(0);
  Hello(1);
  Exchange(Leases({1, 2}));
  const std::vector<WriteLine> writes = ActionsOf<WriteLine>();
  ASSERT_THAT(writes, SizeIs(2));
  const int64_t on_first = writes[0].device == 0 ? 1 : 2;
  TrainerDies(0);
  const auto events = Settle();
  EXPECT_THAT(events, SizeIs(1));
  EXPECT_EQ(events.count(on_first), 1u);
}

TEST_F(TrainerRules, ADeadTrainerIsRestartedWithGrowingBackOff) {
  Register(1);
  jitter_ = 1;
  for (const int seconds : {1, 2, 4}) {
    TrainerDies();
    core_->Tick(now_ + absl::Seconds(seconds) - absl::Milliseconds(1));
    EXPECT_THAT(ActionsOf<StartTrainer>(), IsEmpty());
    now_ += absl::Seconds(seconds);
    core_->Tick(now_);
    EXPECT_THAT(ActionsOf<StartTrainer>(), SizeIs(1));
  }
  Hello(0);
  Settle();
  TakeLeases({1});
  Succeeded(1);  // starts the count anew
  TrainerDies();
  now_ += absl::Seconds(1);
  core_->Tick(now_);
  EXPECT_THAT(ActionsOf<StartTrainer>(), SizeIs(1));
}

TEST_F(TrainerRules, AHungJobFailsAndTheOthersOfItsTrainerAreHandedBack) {
  Register(2);
  TakeLeases({1, 2});
  now_ += absl::Seconds(200);
  core_->OnTrainerEvent(now_, 0, {2, TrainerProgress{1, 0.5}});
  now_ += absl::Seconds(99);
  core_->Tick(now_);
  EXPECT_THAT(ActionsOf<KillTrainer>(), IsEmpty());
  now_ += absl::Seconds(1);
  EXPECT_LE(core_->NextWakeup(now_), now_);
  core_->Tick(now_);
  core_->Tick(now_);
  EXPECT_THAT(ActionsOf<KillTrainer>(), SizeIs(1)) << "once";
  core_->OnTrainerExit(now_, 0, {"killed by SIGKILL (out of memory?)", "last words"});
  const auto events = Settle();
  const auto hung = std::get<AttemptFinished>(events.at(1).back().body);
  EXPECT_EQ(hung.outcome, Outcome::kFailed);
  EXPECT_EQ(hung.error, "hung: no event for 300 s");
  EXPECT_EQ(hung.stderr_tail, "last words");
  EXPECT_EQ(std::get<AttemptFinished>(events.at(2).back().body).outcome, Outcome::kPreempted);
  TrainerReturns();
  EXPECT_EQ(core_->Room(), 2);
}

TEST_F(TrainerRules, ATrainerThatDiesWithABundleHandsAllOfItBackToBeRetriedAlone) {
  Register(1);
  TakeBundle({1, 2, 3});
  Succeeded(2);
  TrainerDies();
  const auto events = Settle();
  for (const int64_t attempt : {1, 3}) {
    const auto end = std::get<AttemptFinished>(events.at(attempt).back().body);
    EXPECT_EQ(end.outcome, Outcome::kPreempted);
    EXPECT_TRUE(end.retry_alone);
    EXPECT_THAT(end.error, HasSubstr("2 jobs"));
  }
  EXPECT_EQ(std::get<AttemptFinished>(events.at(2).back().body).outcome, Outcome::kSucceeded);
}

TEST_F(TrainerRules, TheLastJobOfABundleIsTheOnlyOneAndIsBlamed) {
  Register(1);
  TakeBundle({1, 2});
  Succeeded(1);
  TrainerDies();
  const AttemptFinished end = ReportedEnd(2);
  EXPECT_EQ(end.outcome, Outcome::kFailed);
  EXPECT_FALSE(end.retry_alone);
}

TEST_F(TrainerRules, ASignOfLifeOfOneBranchCountsForTheWholeBundle) {
  Register(1);
  TakeBundle({1, 2, 3});
  for (int i = 0; i < 5; ++i) {
    now_ += absl::Seconds(299);
    core_->OnTrainerEvent(now_, 0, {2, TrainerProgress{1, 0.5}});
    core_->Tick(now_);
  }
  Succeeded(2);  // now another branch trains
  now_ += absl::Seconds(299);
  core_->Tick(now_);
  EXPECT_THAT(ActionsOf<KillTrainer>(), IsEmpty());
  now_ += absl::Seconds(1);
  core_->Tick(now_);
  EXPECT_THAT(ActionsOf<KillTrainer>(), SizeIs(1));
}

TEST_F(TrainerRules, NoJobOfABundleThatHangsIsBlamed) {
  Register(2);
  TakeBundle({1, 2});
  TakeLeases({3});
  now_ += absl::Seconds(299);
  core_->OnTrainerEvent(now_, 0, {3, TrainerProgress{1, 0.5}});
  now_ += absl::Seconds(1);
  core_->Tick(now_);
  EXPECT_THAT(ActionsOf<KillTrainer>(), SizeIs(1));
  core_->OnTrainerExit(now_, 0, {"killed by SIGKILL (out of memory?)", ""});
  const auto events = Settle();
  for (const int64_t attempt : {1, 2, 3}) {
    const auto end = std::get<AttemptFinished>(events.at(attempt).back().body);
    EXPECT_EQ(end.outcome, Outcome::kPreempted) << attempt;
    EXPECT_EQ(end.retry_alone, attempt != 3) << attempt;
  }
  TrainerReturns();
  EXPECT_EQ(core_->Room(), 2);
}

TEST_F(TrainerRules, SilenceWhileTheWorkerItselfDidNotRunIsPardoned) {
  Register(1);
  TakeLeases({1});
  now_ += absl::Hours(1);
  core_->Pardon(now_);
  core_->Tick(now_);
  EXPECT_THAT(ActionsOf<KillTrainer>(), IsEmpty());
  now_ += absl::Seconds(300);
  core_->Tick(now_);
  EXPECT_THAT(ActionsOf<KillTrainer>(), SizeIs(1));
}

TEST_F(TrainerRules, AnIdleTrainerIsNotHung) {
  Register(1);
  now_ += absl::Hours(5);
  core_->Tick(now_);
  EXPECT_THAT(ActionsOf<KillTrainer>(), IsEmpty());
}

TEST_F(TrainerRules, ATrainerThatDoesNotStopAJobIsKilledAndTheOthersAreHandedBack) {
  Register(2);
  TakeLeases({1, 2});
  now_ += absl::Seconds(5);
  Exchange({}, {1});
  now_ += absl::Seconds(10);
  core_->Tick(now_);
  EXPECT_THAT(ActionsOf<KillTrainer>(), SizeIs(1));
  core_->OnTrainerExit(now_, 0, {"killed by SIGKILL (out of memory?)", ""});
  const auto events = Settle();
  EXPECT_EQ(events.count(1), 0u);
  EXPECT_EQ(std::get<AttemptFinished>(events.at(2).back().body).outcome, Outcome::kPreempted);
}

TEST_F(TrainerRules, ATrainerThatNeverSaysHelloIsKilled) {
  Create({{.name = "cpu", .slots = 1}});
  now_ += absl::Seconds(300);
  core_->Tick(now_);
  EXPECT_THAT(ActionsOf<KillTrainer>(), SizeIs(1));
}

TEST_F(TrainerRules, ATrainerOfAnotherProtocolGetsNoJobs) {
  Create({{.name = "cpu", .slots = 1}});
  core_->OnTrainerEvent(now_, 0, {0, TrainerHello{.protocol = 1}});
  EXPECT_EQ(core_->Room(), 0);
  EXPECT_THAT(ActionsOf<KillTrainer>(), SizeIs(1));
}

TEST_F(TrainerRules, EventsOfUnknownAttemptsAreIgnored) {
  Register(1);
  Epoch(99, 1);
  Succeeded(99);
  core_->OnTrainerEvent(now_, 0, {0, TrainerComplaint{"what?"}});
  EXPECT_FALSE(core_->TakeSync(now_).has_value());
}

TEST_F(TrainerRules, ARoomThatADeathTookAwayIsNewsWhenItComesBack) {
  Register(1);
  TrainerDies();
  EXPECT_FALSE(core_->TakeSync(now_).has_value());
  now_ += absl::Seconds(2);
  core_->Tick(now_);
  Hello(0);
  EXPECT_EQ(Request().room, 1);
}

TEST_F(TrainerRules, ATrainerThatComplainsWithoutEndDoesNotFillTheLog) {
  Register(1);
  testing::internal::CaptureStderr();
  for (int i = 0; i < 1000; ++i) core_->OnTrainerEvent(now_, 0, {0, TrainerComplaint{"no such command"}});
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 8 + 6) << log;
  EXPECT_THAT(log, HasSubstr("times=512"));
}

}  // namespace
}  // namespace gridsweep::agent
