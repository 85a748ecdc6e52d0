// A worker and its coordinator: lost answers, outages, repeated leases, stops, draining.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "tests/integration/agent/worker_fixture.h"

namespace gridsweep {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

using WorkerSync = WorkerTest;

TEST_F(WorkerSync, RegistersAndRunsJobsToTheirEnd) {
  for (int seed = 1; seed <= 5; ++seed) coordinator_.AddJob(Job(seed));
  StartWorker();
  for (int attempt = 1; attempt <= 5; ++attempt) {
    ASSERT_TRUE(WaitForEnd(attempt));
    const std::vector<v1::AttemptEvent> events = coordinator_.Events(attempt);
    ASSERT_THAT(events, SizeIs(4));
    EXPECT_EQ(events[0].started().dataset().name(), "toy");
    EXPECT_EQ(events[0].started().dataset().class_names_size(), 3);
    EXPECT_EQ(events[1].epoch().epoch(), 1);
    EXPECT_TRUE(events[2].epoch().has_val_loss());
    EXPECT_EQ(events[3].finished().outcome(), v1::OUTCOME_SUCCEEDED);
    EXPECT_EQ(events[3].finished().evaluation().confusion_size(), 9);
  }
  const v1::WorkerInfo info = coordinator_.info();
  EXPECT_EQ(info.libtorch_version(), "0.0-fake");
  ASSERT_EQ(info.devices_size(), 1);
  EXPECT_EQ(info.devices(0).slots(), 2);
  EXPECT_GT(info.memory_bytes(), 0);
  ASSERT_TRUE(WaitFor("free slots", [&] {
    const v1::SyncRequest last = coordinator_.last_request();
    return last.room() == 2 && last.held_size() == 0;
  }));
}

TEST_F(WorkerSync, LostAnswersNeitherRepeatNorLoseAnything) {
  for (int seed = 1; seed <= 4; ++seed) coordinator_.AddJob(Job(seed));
  coordinator_.LoseAnswers(4);
  StartWorker();
  ASSERT_TRUE(WaitForEnd(2));
  coordinator_.LoseAnswers(2);
  for (int attempt = 1; attempt <= 4; ++attempt) {
    ASSERT_TRUE(WaitForEnd(attempt));
    EXPECT_EQ(coordinator_.End(attempt)->outcome(), v1::OUTCOME_SUCCEEDED);
    EXPECT_THAT(coordinator_.Events(attempt), SizeIs(4));
  }
  EXPECT_EQ(RunCommands(), 4);
}

TEST_F(WorkerSync, LeasesOfferedAgainStartNoSecondRun) {
  script_["gate"] = dir_ + "/gate";
  coordinator_.RepeatLeases();
  coordinator_.AddJob(Job(1));
  StartWorker();
  ASSERT_TRUE(WaitForEvents(1, 1));
  const int before = coordinator_.requests();
  ASSERT_TRUE(WaitFor("more calls", [&] { return coordinator_.requests() > before + 5; }));
  OpenGate();
  ASSERT_TRUE(WaitForEnd(1));
  EXPECT_EQ(RunCommands(), 1);
}

TEST_F(WorkerSync, TrainsOnThroughAnOutageAndDeliversEverythingOnceInOrder) {
  script_["gate"] = dir_ + "/gate";
  coordinator_.AddJob(Job(1, 6));
  StartWorker();
  OpenGate(1, 1);
  ASSERT_TRUE(WaitForEvents(1, 2));
  coordinator_.StopServing();
  OpenGate();
  ASSERT_TRUE(WaitFor("the trainer to finish by itself",
                      [&] { return TrainerLog().find("finished 1") != std::string::npos; }));
  coordinator_.Serve();
  ASSERT_TRUE(WaitForEnd(1));
  const std::vector<v1::AttemptEvent> events = coordinator_.Events(1);
  ASSERT_THAT(events, SizeIs(8));
  for (int epoch = 1; epoch <= 6; ++epoch) EXPECT_EQ(events[epoch].epoch().epoch(), epoch);
  EXPECT_EQ(RunCommands(), 1);
}

TEST_F(WorkerSync, ACoordinatorThatStartsLaterIsFound) {
  coordinator_.StopServing();
  coordinator_.AddJob(Job(1));
  StartWorker();
  coordinator_.Serve();
  ASSERT_TRUE(WaitForEnd(1));
}

TEST_F(WorkerSync, AStoreThatCannotWriteKeepsTheEventsHere) {
  script_["gate"] = dir_ + "/gate";
  coordinator_.AddJob(Job(1));
  StartWorker();
  ASSERT_TRUE(WaitForEvents(1, 1));
  coordinator_.FailWith(grpc::Status(grpc::StatusCode::UNAVAILABLE, "the disk is full"));
  OpenGate();
  const int before = coordinator_.requests();
  ASSERT_TRUE(WaitFor("failed calls", [&] { return coordinator_.requests() >= before + 2; }));
  EXPECT_THAT(coordinator_.Events(1), SizeIs(1));
  coordinator_.Recover();
  ASSERT_TRUE(WaitForEnd(1));
  EXPECT_THAT(coordinator_.Events(1), SizeIs(4));
}

TEST_F(WorkerSync, AStoppedAttemptMakesRoomForTheNext) {
  script_["rules"] = {{{"seed", 1}, {"do", "hang"}}};
  WorkerConfig config = Config();
  config.slots = 1;
  coordinator_.AddJob(Job(1));
  coordinator_.AddJob(Job(2));
  StartWorker(config);
  ASSERT_TRUE(WaitForEvents(1, 1));
  coordinator_.Stop(1);
  ASSERT_TRUE(WaitForEnd(2));
  EXPECT_THAT(coordinator_.Events(1), SizeIs(1)) << "nothing more is said about a stopped attempt";
}

TEST_F(WorkerSync, DrainHandsBackWhatRunsAndLeavesNoTrainer) {
  script_["gate"] = dir_ + "/gate";
  coordinator_.AddJob(Job(1));
  coordinator_.AddJob(Job(2));
  StartWorker();
  ASSERT_TRUE(WaitForEvents(1, 1) && WaitForEvents(2, 1));
  worker_->Drain();
  EXPECT_TRUE(worker_->Wait().ok());
  for (const int64_t attempt : {1, 2}) {
    ASSERT_TRUE(coordinator_.End(attempt).has_value());
    EXPECT_EQ(coordinator_.End(attempt)->outcome(), v1::OUTCOME_PREEMPTED);
  }
  EXPECT_EQ(coordinator_.last_request().room(), 0);
  EXPECT_THAT(TrainerLog(), HasSubstr("eof")) << "the trainer was asked to end, not killed";
}

TEST_F(WorkerSync, DrainEndsWithoutACoordinatorToo) {
  script_["gate"] = dir_ + "/gate";
  coordinator_.AddJob(Job(1));
  StartWorker();
  ASSERT_TRUE(WaitForEvents(1, 1));
  coordinator_.StopServing();
  worker_->Drain();
  EXPECT_TRUE(worker_->Wait().ok());
}

TEST_F(WorkerSync, AbortEndsWithoutAWord) {
  script_["gate"] = dir_ + "/gate";
  coordinator_.AddJob(Job(1));
  StartWorker();
  ASSERT_TRUE(WaitForEvents(1, 1));
  worker_->Abort();
  EXPECT_TRUE(absl::IsCancelled(worker_->Wait()));
  EXPECT_FALSE(coordinator_.End(1).has_value());
}

TEST_F(WorkerSync, ANewerSessionOfTheNameEndsTheOlder) {
  script_["gate"] = dir_ + "/gate";
  coordinator_.AddJob(Job(1));
  StartWorker();
  ASSERT_TRUE(WaitForEvents(1, 1));
  coordinator_.FailWith(grpc::Status(grpc::StatusCode::ABORTED, "a newer worker named 'w' has registered"));
  const absl::Status end = worker_->Wait();
  EXPECT_TRUE(absl::IsAborted(end)) << end;
  EXPECT_THAT(Message(end), HasSubstr("a newer worker named 'w'"));
}

TEST_F(WorkerSync, RefusesToStartWithNonsense) {
  WorkerConfig config = Config();
  config.coordinator.address = "nowhere";
  EXPECT_TRUE(absl::IsInvalidArgument(StartWorkerDaemon(config, &SystemClock()).status()));
  config = Config();
  config.name = "a b";
  EXPECT_TRUE(absl::IsInvalidArgument(StartWorkerDaemon(config, &SystemClock()).status()));
  config = Config();
  config.devices = "gpu";
  EXPECT_TRUE(absl::IsInvalidArgument(StartWorkerDaemon(config, &SystemClock()).status()));
  config = Config();
  config.trainer = dir_ + "/missing";
  EXPECT_TRUE(absl::IsNotFound(StartWorkerDaemon(config, &SystemClock()).status()));
}

}  // namespace
}  // namespace gridsweep
