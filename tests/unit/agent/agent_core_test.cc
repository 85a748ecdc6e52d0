// Sync: what is said when, leases, acknowledgements, outages, draining.
#include "worker/agent/agent_core.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/agent/agent_core_fixture.h"

namespace gridsweep::agent {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

std::vector<uint64_t> Seqs(const std::vector<AttemptEvents>& batches, int64_t attempt) {
  std::vector<uint64_t> seqs;
  for (const AttemptEvents& batch : batches) {
    if (batch.attempt != attempt) continue;
    for (const AttemptEvent& event : batch.events) seqs.push_back(event.seq);
  }
  return seqs;
}

TEST_F(AgentCoreTest, StartsOneTrainerPerDeviceAndRegistersWithoutRoomUntilOneIsReady) {
  Create({{.name = "cuda:0", .slots = 1}, {.name = "cuda:1", .slots = 1}});
  EXPECT_THAT(actions_, SizeIs(2));
  const SyncRequest first = Exchange({});
  EXPECT_TRUE(first.info.has_value());
  EXPECT_EQ(first.sync_seq, 1u);
  EXPECT_EQ(first.room, 0);
  EXPECT_FALSE(core_->TakeSync(now_).has_value()) << "nothing is new";
  Hello(1);
  const SyncRequest second = Exchange({});
  EXPECT_EQ(second.room, 1);
  EXPECT_EQ(second.sync_seq, 2u);
  ASSERT_TRUE(second.info.has_value()) << "LibTorch's version became known";
  EXPECT_EQ(second.info->libtorch_version, "2.6");
}

TEST_F(AgentCoreTest, CallsWhenAskedToAndAtOnceWhenThereIsNews) {
  Register(2);
  EXPECT_EQ(core_->NextWakeup(now_), now_ + absl::Seconds(5));
  now_ += absl::Seconds(4);
  EXPECT_FALSE(core_->TakeSync(now_).has_value());
  now_ += absl::Seconds(1);
  const SyncRequest periodic = Exchange(Leases({1}));
  EXPECT_EQ(periodic.room, 2);
  EXPECT_FALSE(periodic.info.has_value());
  EXPECT_FALSE(core_->TakeSync(now_).has_value()) << "a lease is no news to its giver";
  Epoch(1, 1);
  EXPECT_THAT(Seqs(Exchange({}).events, 1), ElementsAre(1));
  Succeeded(1);
  const SyncRequest last = Exchange({});
  EXPECT_THAT(Seqs(last.events, 1), ElementsAre(2));
  EXPECT_EQ(last.room, 2);
  EXPECT_FALSE(core_->TakeSync(now_).has_value());
}

TEST_F(AgentCoreTest, AJobWhoseDataIsBrokenHereIsHandedBack) {
  Register(1);
  now_ += absl::Seconds(5);
  Lease lease = MakeLease(1);
  lease.job_json = R"({"seed":1,"dataset":"tiny"})";
  Exchange({lease});
  core_->OnTrainerEvent(
      now_, 0,
      {1, AttemptFinished{.outcome = Outcome::kFailed, .error = "truncated", .data_unusable = true}});
  const AttemptFinished end = ReportedEnd(1);
  EXPECT_EQ(end.outcome, Outcome::kPreempted);
  EXPECT_EQ(end.unusable_dataset, "tiny");
  EXPECT_EQ(end.error, "truncated");
}

TEST_F(AgentCoreTest, OneSyncIsInFlightAtATime) {
  Register(1);
  TakeLeases({1});
  Started(1);
  const SyncRequest request = Request();
  Epoch(1, 1);
  EXPECT_FALSE(core_->TakeSync(now_).has_value());
  Answer(request, {});
  EXPECT_THAT(Seqs(Request().events, 1), ElementsAre(2)) << "what happened meanwhile follows at once";
}

TEST_F(AgentCoreTest, RunsALeaseOnTheDeviceWithMostFreeSlots) {
  Create({{.name = "cpu", .slots = 1}, {.name = "cuda:0", .slots = 2}});
  Hello(0);
  Hello(1);
  Exchange(Leases({1, 2, 3}));
  std::map<size_t, int> lines;
  for (const WriteLine& write : ActionsOf<WriteLine>()) ++lines[write.device];
  EXPECT_EQ(lines[0], 1);
  EXPECT_EQ(lines[1], 2);
  EXPECT_EQ(core_->Room(), 0);
}

TEST_F(AgentCoreTest, ListsHeldAttemptsWithTheirProgress) {
  Register(1);
  TakeLeases({1});
  core_->OnTrainerEvent(now_, 0, {1, TrainerProgress{3, 0.25}});
  now_ += absl::Seconds(5);
  const SyncRequest request = Request();
  ASSERT_THAT(request.held, SizeIs(1));
  EXPECT_EQ(request.held[0].token, "token1");
  EXPECT_EQ(request.held[0].device, "cpu");
  EXPECT_EQ(request.held[0].epoch, 3);
  EXPECT_EQ(request.held[0].epoch_fraction, 0.25);
}

TEST_F(AgentCoreTest, LeasesThatAreHeldAreIgnoredWhenOfferedAgain) {
  Register(2);
  TakeLeases({1});
  EXPECT_THAT(ActionsOf<WriteLine>(), SizeIs(1));
  TakeLeases({1});
  EXPECT_THAT(ActionsOf<WriteLine>(), IsEmpty());
  Succeeded(1);
  Request();
  core_->OnSyncResponse(now_, {.leases = Leases({1})});  // its end is not acknowledged
  EXPECT_THAT(ActionsOf<WriteLine>(), IsEmpty());
  now_ += absl::Seconds(1);
  EXPECT_THAT(Request().held, SizeIs(1)) << "held until the end is stored";
}

TEST_F(AgentCoreTest, LeasesWithoutAFreeSlotAreHandedBack) {
  Register(1);
  now_ += absl::Seconds(5);
  Exchange(Leases({1, 2}));
  const AttemptFinished end = ReportedEnd(2);
  EXPECT_EQ(end.outcome, Outcome::kPreempted);
  EXPECT_THAT(end.error, HasSubstr("no free slot"));
}

TEST_F(AgentCoreTest, AMalformedJobFailsForGood) {
  Register(1);
  now_ += absl::Seconds(5);
  Exchange({{.attempt = 1, .token = "t", .job_json = "{\"seed\":"}});
  const AttemptFinished end = ReportedEnd(1);
  EXPECT_EQ(end.outcome, Outcome::kFailed);
  EXPECT_FALSE(end.retryable);
  EXPECT_EQ(core_->Room(), 1);
}

TEST_F(AgentCoreTest, EventsAreKeptUntilAcknowledgedAndDropUpToTheStoredSeq) {
  Register(1);
  TakeLeases({1});
  Started(1);
  Epoch(1, 1);
  Epoch(1, 2);
  EXPECT_THAT(Seqs(Request().events, 1), ElementsAre(1, 2, 3));
  core_->OnSyncResponse(now_, {.stored = {{1, 2}}, .next_call = absl::Seconds(5)});
  EXPECT_FALSE(core_->TakeSync(now_).has_value()) << "sent, though not stored: repeated at the next call";
  now_ += absl::Seconds(5);
  EXPECT_THAT(Seqs(Request().events, 1), ElementsAre(3));
}

TEST_F(AgentCoreTest, NewsWaitsAsLongAsTheCoordinatorAsks) {
  Register(1);
  TakeLeases({1});
  Started(1);
  Request();
  core_->OnSyncResponse(now_, {.stored = {{1, 1}}, .next_call = absl::Seconds(5), .news = absl::Seconds(2)});
  Epoch(1, 1);
  now_ += absl::Milliseconds(1999);
  EXPECT_FALSE(core_->TakeSync(now_).has_value());
  EXPECT_EQ(core_->NextWakeup(now_), now_ + absl::Milliseconds(1));
  Epoch(1, 2);
  now_ += absl::Milliseconds(1);
  EXPECT_THAT(Seqs(Request().events, 1), ElementsAre(2, 3)) << "together";
}

TEST_F(AgentCoreTest, AWorkerThatStopsDoesNotWaitWithItsNews) {
  Register(1);
  TakeLeases({1});
  Started(1);
  Request();
  core_->OnSyncResponse(now_, {.next_call = absl::Seconds(5), .news = absl::Seconds(2)});
  core_->Drain(now_);
  EXPECT_TRUE(core_->TakeSync(now_).has_value());
}

TEST_F(AgentCoreTest, AnUnknownAcknowledgementOrStopIsHarmless) {
  Register(1);
  now_ += absl::Seconds(5);
  Request();
  core_->OnSyncResponse(now_, {.stored = {{77, 5}}, .stop = {78}});
  EXPECT_THAT(ActionsOf<WriteLine>(), IsEmpty());
}

TEST_F(AgentCoreTest, AStoppedAttemptIsForgottenAndItsSlotComesFreeWhenTheTrainerLetsGo) {
  Register(1);
  TakeLeases({1});
  Epoch(1, 1);
  ActionsOf<WriteLine>();
  const SyncRequest reply_to = Request();
  Epoch(1, 2);
  Answer(reply_to, {}, {1});
  const std::vector<WriteLine> writes = ActionsOf<WriteLine>();
  ASSERT_THAT(writes, SizeIs(1));
  EXPECT_EQ(writes[0].line, StopCommand(1));
  Epoch(1, 3);  // was on its way
  EXPECT_FALSE(core_->TakeSync(now_).has_value());
  EXPECT_EQ(core_->Room(), 0);
  core_->OnTrainerEvent(now_, 0, {1, TrainerStopped{}});
  const SyncRequest request = Request();
  EXPECT_EQ(request.room, 1);
  EXPECT_THAT(request.held, IsEmpty());
  EXPECT_THAT(request.events, IsEmpty());
}

TEST_F(AgentCoreTest, InfoIsSentAgainWhenAskedForAndWhenDataSetsChange) {
  Register(1);
  core_->OnDatasets({"mnist"});
  EXPECT_THAT(Exchange({}).info->datasets, ElementsAre("mnist"));
  core_->OnDatasets({"mnist"});
  EXPECT_FALSE(core_->TakeSync(now_).has_value());
  now_ += absl::Seconds(5);
  Request();
  core_->OnSyncResponse(now_, {.send_info = true});
  EXPECT_TRUE(Exchange({}).info.has_value());
}

TEST_F(AgentCoreTest, WhileTheCoordinatorIsAwayEventsAreKeptAndCallsBackOffUpToTheCap) {
  Register(1);
  TakeLeases({1});
  Started(1);
  jitter_ = 1;
  absl::Duration last;
  for (int i = 0; i < 12; ++i) {
    Epoch(1, i + 1);
    Request();
    core_->OnSyncError(now_, absl::UnavailableError("refused"));
    EXPECT_FALSE(core_->TakeSync(now_).has_value()) << "news do not cut a back-off short";
    last = core_->NextWakeup(now_) - now_;
    if (i == 0) {
      EXPECT_EQ(last, absl::Milliseconds(500));
    }
    now_ += last;
  }
  EXPECT_EQ(last, absl::Seconds(10));
  EXPECT_FALSE(core_->ended().has_value());
  const SyncRequest request = Exchange({});
  EXPECT_THAT(Seqs(request.events, 1), ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13));
  EXPECT_FALSE(core_->TakeSync(now_).has_value());
}

TEST_F(AgentCoreTest, ACoordinatorThatIsCalledTooOftenIsCalledLessAndToldTheSame) {
  Register(1);
  TakeLeases({1});
  Started(1);
  Request();
  jitter_ = 1;
  core_->OnSyncError(now_, absl::ResourceExhaustedError("'w' calls too often: try again in 0.1 s"));
  EXPECT_FALSE(core_->ended().has_value()) << "it is no reason to end";
  Epoch(1, 1);
  EXPECT_FALSE(core_->TakeSync(now_).has_value()) << "news do not cut a back-off short";
  now_ = core_->NextWakeup(now_);
  EXPECT_THAT(Seqs(Exchange({}).events, 1), ElementsAre(1, 2));
}

TEST_F(AgentCoreTest, InfoOfAFailedRequestIsSentAgain) {
  Create({{.name = "cpu", .slots = 1}});
  EXPECT_TRUE(Request().info.has_value());
  core_->OnSyncError(now_, absl::DeadlineExceededError("slow"));
  now_ += absl::Seconds(10);
  EXPECT_TRUE(Request().info.has_value());
}

TEST_F(AgentCoreTest, ABigBacklogIsSentInPieces) {
  Register(1);
  TakeLeases({1});
  Started(1);
  for (int i = 0; i < 40000; ++i) Epoch(1, i + 1);
  size_t requests = 0;
  uint64_t last = 0;
  while (std::optional<SyncRequest> request = core_->TakeSync(now_)) {
    for (const uint64_t seq : Seqs(request->events, 1)) EXPECT_EQ(seq, ++last);
    Answer(*request, {});
    ++requests;
  }
  EXPECT_EQ(last, 40001u);
  EXPECT_GT(requests, 1u);
}

TEST_F(AgentCoreTest, ANewerSessionEndsTheWorkerForGood) {
  Register(1);
  TakeLeases({1});
  now_ += absl::Seconds(5);
  Request();
  core_->OnSyncError(now_, absl::AbortedError("a newer worker has this name"));
  ASSERT_TRUE(core_->ended().has_value());
  EXPECT_TRUE(absl::IsAborted(*core_->ended()));
  Epoch(1, 1);
  EXPECT_FALSE(core_->TakeSync(now_ + absl::Hours(1)).has_value());
  EXPECT_EQ(core_->NextWakeup(now_), absl::InfiniteDuration());
}

TEST_F(AgentCoreTest, AnUnfitProtocolEndsTheWorkerAndOtherErrorsDoNot) {
  Create({{.name = "cpu", .slots = 1}});
  Request();
  core_->OnSyncError(now_, absl::InternalError("?"));
  EXPECT_FALSE(core_->ended().has_value());
  now_ += absl::Seconds(10);
  Request();
  core_->OnSyncError(now_, absl::CancelledError("not by us"));
  EXPECT_FALSE(core_->TakeSync(now_).has_value()) << "counts as a failure: no hot loop";
  now_ += absl::Seconds(10);
  Request();
  core_->OnSyncError(now_, absl::FailedPreconditionError("protocol 2"));
  EXPECT_TRUE(absl::IsFailedPrecondition(*core_->ended()));
}

TEST_F(AgentCoreTest, DrainHandsBackWhatRunsAndEndsWhenThatIsStored) {
  Register(2);
  TakeLeases({1, 2});
  ActionsOf<WriteLine>();
  Epoch(1, 1);
  core_->Drain(now_);
  EXPECT_THAT(ActionsOf<WriteLine>(), SizeIs(2)) << "the trainers are told to stop";
  EXPECT_FALSE(core_->ended().has_value());
  const SyncRequest request = Request();
  EXPECT_EQ(request.room, 0);
  EXPECT_THAT(Seqs(request.events, 1), ElementsAre(1, 2));
  for (const AttemptEvents& batch : request.events) {
    EXPECT_EQ(std::get<AttemptFinished>(batch.events.back().body).outcome, Outcome::kPreempted);
  }
  Answer(request, {});
  EXPECT_TRUE(core_->ended().has_value() && core_->ended()->ok());
}

TEST_F(AgentCoreTest, DrainReturnsLeasesThatArriveWithTheLastAnswers) {
  Register(2);
  now_ += absl::Seconds(5);
  Request();
  core_->Drain(now_);
  core_->OnSyncError(now_, absl::CancelledError("cut short"));  // the coordinator had leased attempt 1 in it
  Exchange(Leases({1}));
  EXPECT_FALSE(core_->ended().has_value());
  EXPECT_EQ(ReportedEnd(1).outcome, Outcome::kPreempted);
  EXPECT_TRUE(core_->ended().has_value());
}

TEST_F(AgentCoreTest, DrainWithoutACoordinatorGivesUpAfterThreeCalls) {
  Register(1);
  TakeLeases({1});
  now_ += absl::Seconds(5);
  for (int i = 0; i < 5; ++i) {
    Request();
    core_->OnSyncError(now_, absl::UnavailableError("refused"));
    now_ = core_->NextWakeup(now_);
  }
  core_->Drain(now_);
  const absl::Duration start = now_;
  for (int i = 0; i < 3; ++i) {
    ASSERT_FALSE(core_->ended().has_value());
    Request();
    core_->OnSyncError(now_, absl::UnavailableError("refused"));
    if (!core_->ended()) now_ = core_->NextWakeup(now_);
  }
  EXPECT_TRUE(core_->ended().has_value());
  EXPECT_LT(now_ - start, absl::Seconds(5));
}

TEST_F(AgentCoreTest, DrainEndsAtItsDeadlineWhateverTheCoordinatorDoes) {
  Register(1);
  TakeLeases({1});
  core_->Drain(now_);
  Request();  // never answered
  now_ += absl::Seconds(19);
  core_->Tick(now_);
  EXPECT_FALSE(core_->ended().has_value());
  now_ += absl::Seconds(1);
  core_->Tick(now_);
  EXPECT_TRUE(core_->ended().has_value());
}

TEST_F(AgentCoreTest, ABundleGoesToOneTrainerInOneCommandAndTakesOneSlot) {
  Register(2);
  TakeBundle({5, 6, 7});
  const std::vector<WriteLine> lines = ActionsOf<WriteLine>();
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].line, R"({"bundle":[{"attempt":5,"job":{"seed":1}},{"attempt":6,"job":{"seed":1}},)"
                           R"({"attempt":7,"job":{"seed":1}}],"type":"run"})"
                           "\n");
  EXPECT_EQ(core_->Room(), 1);
  Succeeded(5);
  Succeeded(6);
  EXPECT_EQ(core_->Room(), 1) << "one of its branches still trains";
  Succeeded(7);
  EXPECT_EQ(core_->Room(), 2);
}

TEST_F(AgentCoreTest, BundlesAndSingleJobsOfOneAnswerStartApart) {
  Register(3);
  now_ += absl::Seconds(5);
  std::vector<Lease> leases = Leases({1, 2, 3, 4, 5});
  leases[0].bundle = leases[2].bundle = 1;
  leases[3].bundle = 4;  // the rest of its bundle is held or was cancelled
  Exchange(leases);
  EXPECT_EQ(ActionsOf<WriteLine>().size(), 3u);
  EXPECT_EQ(core_->Room(), 0);
  EXPECT_EQ(ReportedEnd(5).outcome, Outcome::kPreempted) << "there is no fourth slot";
}

TEST_F(AgentCoreTest, ABundleWithoutASlotIsHandedBackWhole) {
  Register(1);
  TakeLeases({1});
  now_ += absl::Seconds(5);
  std::vector<Lease> leases = Leases({2, 3});
  for (Lease& lease : leases) lease.bundle = 2;
  Exchange(leases);
  const auto events = Settle();
  for (const int64_t attempt : {2, 3}) {
    const auto end = std::get<AttemptFinished>(events.at(attempt).back().body);
    EXPECT_EQ(end.outcome, Outcome::kPreempted);
    EXPECT_FALSE(end.retry_alone);
  }
}

TEST_F(AgentCoreTest, AMalformedJobOfABundleFailsAndTheOthersRun) {
  Register(1);
  now_ += absl::Seconds(5);
  std::vector<Lease> leases = Leases({1, 2});
  for (Lease& lease : leases) lease.bundle = 1;
  leases[0].job_json = "[]";
  Exchange(leases);
  const std::vector<WriteLine> lines = ActionsOf<WriteLine>();
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].line, "{\"attempt\":2,\"job\":{\"seed\":1},\"type\":\"run\"}\n");
  EXPECT_FALSE(ReportedEnd(1).retryable);
}

TEST_F(AgentCoreTest, JobsOfABundleAreStoppedOneByOne) {
  Register(1);
  TakeBundle({1, 2});
  ActionsOf<WriteLine>();
  now_ += absl::Seconds(5);
  Exchange({}, {1});
  const std::vector<WriteLine> lines = ActionsOf<WriteLine>();
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].line, StopCommand(1));
  core_->OnTrainerEvent(now_, 0, {1, TrainerStopped{}});
  EXPECT_EQ(core_->Room(), 0);
  Succeeded(2);
  EXPECT_EQ(core_->Room(), 1);
}

}  // namespace
}  // namespace gridsweep::agent
