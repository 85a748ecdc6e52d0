// The worker's core: which files go to the coordinator and come from it, and what jobs go on from.
#include <gmock/gmock.h>

#include "common/base/json.h"
#include "tests/unit/agent/agent_core_fixture.h"

namespace gridsweep::agent {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

std::string Hash(char digit) {
  return std::string(64, digit);
}

class CheckpointsTest : public AgentCoreTest {
 protected:
  CheckpointsTest() { checkpoints_ = true; }

  // A lease of attempt 1 … with these checkpoints.
  void LeaseWith(const std::vector<std::vector<std::string>>& checkpoints) {
    now_ += absl::Seconds(5);
    std::vector<Lease> leases;
    for (size_t i = 0; i < checkpoints.size(); ++i) {
      leases.push_back(MakeLease(static_cast<int64_t>(i) + 1));
      leases.back().checkpoints = checkpoints[i];
      if (checkpoints.size() > 1) leases.back().bundle = 1;
    }
    Exchange(leases);
    Settle();
  }
  void Checkpoint(int64_t attempt, int64_t epoch, char digit) {
    core_->OnTrainerEvent(
        now_, 0,
        {attempt, TrainerFile{.is_model = false, .epoch = epoch, .sha256 = Hash(digit), .bytes = 10}});
  }
  void Model(int64_t attempt, char digit) {
    core_->OnTrainerEvent(
        now_, 0, {attempt, TrainerFile{.is_model = true, .epoch = 3, .sha256 = Hash(digit), .bytes = 10}});
  }
  // Actions of one kind; those of other kinds are kept for later.
  template <typename T>
  std::vector<T> Next() {
    core_->Tick(now_);
    for (Action& action : core_->TakeActions()) pending_.push_back(std::move(action));
    std::vector<T> found;
    for (const Action& action : pending_) {
      if (const T* match = std::get_if<T>(&action)) found.push_back(*match);
    }
    std::erase_if(pending_, [](const Action& action) { return std::holds_alternative<T>(action); });
    return found;
  }
  std::vector<std::string> Fetches() {
    std::vector<std::string> hashes;
    for (const FetchArtifact& fetch : Next<FetchArtifact>()) hashes.push_back(fetch.sha256);
    return hashes;
  }
  std::vector<std::string> Drops() {
    std::vector<std::string> hashes;
    for (const DropArtifact& drop : Next<DropArtifact>()) hashes.push_back(drop.sha256);
    return hashes;
  }
  // What each attempt of the run commands may go on from.
  std::map<int64_t, std::vector<std::string>> StartedJobs() {
    std::map<int64_t, std::vector<std::string>> started;
    for (const WriteLine& line : Next<WriteLine>()) {
      const Json command = ParseJson(line.line).value();
      if (command.at("type") != "run") continue;
      for (const Json& item : command.value("bundle", Json::array({command})))
        started[item.at("attempt")] = item.value("resume", std::vector<std::string>());
    }
    return started;
  }

  std::vector<Action> pending_;
};

TEST_F(CheckpointsTest, ALeaseWithCheckpointsWaitsForTheFirstAndTakesItsSlotMeanwhile) {
  Register(2);
  LeaseWith({{Hash('a'), Hash('b')}});
  EXPECT_THAT(StartedJobs(), IsEmpty());
  EXPECT_EQ(core_->Room(), 1);
  EXPECT_THAT(Fetches(), ElementsAre(Hash('a')));
  now_ += absl::Hours(1);
  EXPECT_THAT(Next<KillTrainer>(), IsEmpty()) << "a fetch is no hang";
  core_->OnArtifact(now_, Hash('a'), absl::OkStatus());
  const auto started = StartedJobs();
  ASSERT_THAT(started, SizeIs(1));
  EXPECT_THAT(started.at(1), ElementsAre(Hash('a'), Hash('b')));
  EXPECT_THAT(core_->ReferencedFiles(), UnorderedElementsAre(Hash('a'), Hash('b')));
}

TEST_F(CheckpointsTest, WhatCannotBeHadIsPassedOver) {
  Register(1);
  LeaseWith({{Hash('a'), Hash('b')}});
  EXPECT_THAT(Fetches(), ElementsAre(Hash('a')));
  core_->OnArtifact(now_, Hash('a'), absl::NotFoundError("gone"));
  EXPECT_THAT(Fetches(), ElementsAre(Hash('b')));
  core_->OnArtifact(now_, Hash('b'), absl::DataLossError("damaged"));
  const auto started = StartedJobs();
  ASSERT_THAT(started, SizeIs(1));
  EXPECT_THAT(started.at(1), IsEmpty()) << "from scratch";
}

TEST_F(CheckpointsTest, ABundleStartsTogetherWithOneFetchAtATime) {
  Register(1);
  LeaseWith({{Hash('a')}, {Hash('b'), Hash('a')}, {}});
  EXPECT_THAT(Fetches(), ElementsAre(Hash('a')));
  core_->OnArtifact(now_, Hash('a'), absl::OkStatus());
  EXPECT_THAT(StartedJobs(), IsEmpty());
  EXPECT_THAT(Fetches(), ElementsAre(Hash('b')));
  core_->OnArtifact(now_, Hash('b'), absl::NotFoundError("gone"));
  const auto started = StartedJobs();
  ASSERT_THAT(started, SizeIs(3));
  EXPECT_THAT(started.at(1), ElementsAre(Hash('a')));
  EXPECT_THAT(started.at(2), ElementsAre(Hash('a')));
  EXPECT_THAT(started.at(3), IsEmpty());
}

TEST_F(CheckpointsTest, AWaitingAttemptCanBeTakenBack) {
  Register(1);
  LeaseWith({{Hash('a')}});
  EXPECT_THAT(Fetches(), ElementsAre(Hash('a')));
  now_ += absl::Seconds(5);
  Exchange({}, {1});
  EXPECT_EQ(core_->Room(), 1);
  core_->OnArtifact(now_, Hash('a'), absl::OkStatus());
  EXPECT_THAT(StartedJobs(), IsEmpty());
}

TEST_F(CheckpointsTest, AWaitingAttemptIsHandedBackWhenItsTrainerDiesOrTheWorkerDrains) {
  Register(1);
  LeaseWith({{Hash('a')}});
  TrainerDies();
  EXPECT_EQ(ReportedEnd(1).outcome, Outcome::kPreempted);
  Register(1);
  LeaseWith({{Hash('a')}});
  core_->Drain(now_);
  EXPECT_EQ(ReportedEnd(1).outcome, Outcome::kPreempted);
  EXPECT_TRUE(core_->ended().has_value());
}

TEST_F(CheckpointsTest, WithoutAFolderCheckpointsAreIgnored) {
  checkpoints_ = false;
  Register(1);
  LeaseWith({{Hash('a')}});
  EXPECT_THAT(Fetches(), IsEmpty());
  EXPECT_THAT(StartedJobs(), SizeIs(1));
  Checkpoint(1, 1, 'b');
  EXPECT_THAT(Next<UploadArtifact>(), IsEmpty());
}

TEST_F(CheckpointsTest, OneUploadAtATimeAndTheNewestOfAnAttemptWins) {
  Register(2);
  TakeLeases({1, 2});
  Checkpoint(1, 1, 'a');
  ASSERT_THAT(Next<UploadArtifact>(), SizeIs(1));
  Checkpoint(1, 2, 'b');
  Checkpoint(2, 1, 'c');
  Checkpoint(1, 3, 'd');
  EXPECT_THAT(Next<UploadArtifact>(), IsEmpty());
  core_->OnUploaded(now_, absl::UnavailableError("away"));
  std::vector<UploadArtifact> uploads = Next<UploadArtifact>();
  ASSERT_THAT(uploads, SizeIs(1));
  EXPECT_EQ(uploads[0].sha256, Hash('c')) << "b was overtaken, and a is not tried again";
  core_->OnUploaded(now_, absl::OkStatus());
  uploads = Next<UploadArtifact>();
  ASSERT_THAT(uploads, SizeIs(1));
  EXPECT_EQ(uploads[0].sha256, Hash('d'));
  ASSERT_THAT(uploads[0].claims, SizeIs(1));
  EXPECT_EQ(uploads[0].claims[0].token, "token1");
  EXPECT_EQ(uploads[0].claims[0].epoch, 3);
}

TEST_F(CheckpointsTest, OneFileOfABundleIsOneUpload) {
  Register(1);
  TakeBundle({1, 2});
  Checkpoint(1, 1, 'a');
  Checkpoint(2, 1, 'a');
  const std::vector<UploadArtifact> uploads = Next<UploadArtifact>();
  ASSERT_THAT(uploads, SizeIs(1));
  EXPECT_THAT(uploads[0].claims, SizeIs(2));
}

TEST_F(CheckpointsTest, CheckpointsAreDroppedWhenTwoNewerOnesAreThereAndWithTheResult) {
  Register(1);
  TakeBundle({1, 2});
  Checkpoint(1, 1, 'a');
  Checkpoint(2, 1, 'a');
  Next<UploadArtifact>();
  core_->OnUploaded(now_, absl::OkStatus());
  Checkpoint(1, 2, 'b');
  Checkpoint(1, 3, 'c');
  EXPECT_THAT(Drops(), IsEmpty()) << "attempt 2 has a still";
  Checkpoint(2, 2, 'd');
  Checkpoint(2, 3, 'e');
  EXPECT_THAT(Drops(), ElementsAre(Hash('a')));
  Succeeded(1);
  Succeeded(2);
  for (int i = 0; i < 3; ++i) core_->OnUploaded(now_, absl::OkStatus());
  EXPECT_THAT(Drops(), testing::IsSupersetOf({Hash('b'), Hash('d'), Hash('e')}));
}

TEST_F(CheckpointsTest, AFailedAttemptsCheckpointsStayForTheNext) {
  Register(1);
  TakeLeases({1});
  Checkpoint(1, 1, 'a');
  TrainerDies();
  EXPECT_EQ(ReportedEnd(1).outcome, Outcome::kFailed);
  EXPECT_THAT(Drops(), IsEmpty());
  EXPECT_THAT(Next<UploadArtifact>(), IsEmpty()) << "its lease is over";
}

TEST_F(CheckpointsTest, AModelIsOfferedOnceTheEndIsStoredAndTriedAgainWhileTheCoordinatorIsAway) {
  Register(1);
  TakeLeases({1});
  Model(1, 'a');
  Succeeded(1);
  EXPECT_THAT(Next<UploadArtifact>(), IsEmpty());
  Settle();
  std::vector<UploadArtifact> uploads = Next<UploadArtifact>();
  ASSERT_THAT(uploads, SizeIs(1));
  EXPECT_TRUE(uploads[0].is_model);
  core_->OnUploaded(now_, absl::UnavailableError("away"));
  EXPECT_THAT(Next<UploadArtifact>(), IsEmpty());
  EXPECT_LT(core_->NextWakeup(now_), now_ + absl::Seconds(11));
  now_ += absl::Seconds(11);
  EXPECT_THAT(Next<UploadArtifact>(), SizeIs(1));
  EXPECT_THAT(Drops(), IsEmpty());
  core_->OnUploaded(now_, absl::AbortedError("not yours"));
  EXPECT_THAT(Drops(), ElementsAre(Hash('a')));
  EXPECT_THAT(core_->ReferencedFiles(), IsEmpty());
}

TEST_F(CheckpointsTest, DrainingWaitsForTheModelsButNotForEver) {
  Register(1);
  TakeLeases({1});
  Model(1, 'a');
  Succeeded(1);
  core_->Drain(now_);
  Settle();
  ASSERT_THAT(Next<UploadArtifact>(), SizeIs(1));
  EXPECT_FALSE(core_->ended().has_value());
  core_->OnUploaded(now_, absl::OkStatus());
  EXPECT_TRUE(core_->ended().has_value());

  Register(1);
  TakeLeases({1});
  Model(1, 'a');
  Succeeded(1);
  core_->Drain(now_);
  Settle();
  now_ += absl::Minutes(1);
  core_->Tick(now_);
  EXPECT_TRUE(core_->ended().has_value());
}

TEST_F(CheckpointsTest, TheTrainersWordsAreUnderstoodAndHashesAreChecked) {
  const std::string hash = Hash('a');
  const TrainerEvent event =
      ParseTrainerEvent(R"({"type":"checkpoint","attempt":17,"epoch":4,"checkpoint":")" + hash +
                        R"(","bytes":5})")
          .value();
  EXPECT_EQ(event.attempt, 17);
  EXPECT_EQ(std::get<TrainerFile>(event.body).epoch, 4);
  EXPECT_TRUE(
      std::get<TrainerFile>(ParseTrainerEvent(R"({"type":"model","attempt":17,"epoch":4,"artifact":")" +
                                              hash + R"(","bytes":5})")
                                .value()
                                .body)
          .is_model);
  EXPECT_EQ(std::get<CheckpointUnusable>(
                ParseTrainerEvent(R"({"type":"checkpoint_unusable","attempt":17,"checkpoint":")" + hash +
                                  R"(","error":"e"})")
                    .value()
                    .body)
                .error,
            "e");
  for (const char* bad : {"../../../etc/passwd", "", "AA"}) {
    EXPECT_FALSE(
        ParseTrainerEvent(
            Json{{"type", "checkpoint"}, {"attempt", 17}, {"epoch", 4}, {"checkpoint", bad}, {"bytes", 5}}
                .dump())
            .ok());
  }
}

}  // namespace
}  // namespace gridsweep::agent
