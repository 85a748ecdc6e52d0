#include "worker/trainer/slot_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>

namespace gridsweep {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

// A pool whose jobs do what the test says, and the lines it writes. A job {"wait": true} runs until it is stopped, any
// other succeeds at once.
class SlotPoolTest : public ::testing::Test {
 protected:
  SlotPoolTest() {
    EXPECT_EQ(pipe(pipe_), 0);
    in_ = fdopen(pipe_[0], "r");
  }
  ~SlotPoolTest() override {
    pool_.reset();
    close(pipe_[1]);
    std::fclose(in_);
  }

  void Start(int slots) {
    writer_ = std::make_unique<LineWriter>(pipe_[1], [] { ADD_FAILURE() << "pipe broke"; });
    TrainerIdentity identity;
    identity.slots = slots;
    pool_ = std::make_unique<SlotPool>(
        identity,
        [](const std::vector<JobTask>& tasks) {
          for (const JobTask& task : tasks) task.listener->Started({}, 0);
          for (const auto& [job, listener, resume] : tasks) {
            while (job.contains("wait") && !listener->Stopped()) std::this_thread::yield();
            listener->Ended(JobOutcome{
                listener->Stopped() ? JobOutcome::End::kStopped : JobOutcome::End::kSucceeded, "", {}});
          }
          return absl::OkStatus();
        },
        [this] { ++prepared_; }, *writer_);
  }

  absl::Status Run(int64_t attempt, const Json& job) { return pool_->Run({{{attempt, job, {}}}}); }

  // The next line as "type attempt".
  std::string Next() {
    char line[1000];
    if (std::fgets(line, sizeof(line), in_) == nullptr) return "end of file";
    const Json json = Json::parse(line);
    return fmt::format("{} {}", json["type"].get<std::string>(), json["attempt"].get<int>());
  }

  int pipe_[2];
  FILE* in_;
  std::unique_ptr<LineWriter> writer_;
  std::unique_ptr<SlotPool> pool_;
  std::atomic<int> prepared_ = 0;
};

const Json kWait = {{"wait", true}};
const Json kQuick = Json::object();

TEST_F(SlotPoolTest, RunsAJob) {
  Start(1);
  EXPECT_TRUE(Run(7, kQuick).ok());
  EXPECT_EQ(Next(), "started 7");
  EXPECT_EQ(Next(), "finished 7");
}

TEST_F(SlotPoolTest, RunsAsManyJobsAsThereAreSlots) {
  Start(2);
  EXPECT_TRUE(Run(1, kWait).ok());
  EXPECT_TRUE(Run(2, kWait).ok());
  EXPECT_THAT((std::vector{Next(), Next()}), UnorderedElementsAre("started 1", "started 2"));
  EXPECT_TRUE(Run(3, kQuick).ok());  // waits for a slot
  pool_->Stop({1});
  EXPECT_EQ(Next(), "stopped 1");
  EXPECT_EQ(Next(), "started 3");
  EXPECT_EQ(Next(), "finished 3");
  EXPECT_EQ(prepared_, 2);
}

TEST_F(SlotPoolTest, WaitingJobIsStoppedAtOnce) {
  Start(1);
  EXPECT_TRUE(Run(1, kWait).ok());
  EXPECT_EQ(Next(), "started 1");
  EXPECT_TRUE(Run(2, kWait).ok());
  pool_->Stop({2});
  EXPECT_EQ(Next(), "stopped 2");
}

TEST_F(SlotPoolTest, RefusesAnAttemptThatRuns) {
  Start(1);
  EXPECT_TRUE(Run(1, kWait).ok());
  EXPECT_EQ(Run(1, kWait).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_EQ(Next(), "started 1");
  pool_->Stop({1});
  EXPECT_EQ(Next(), "stopped 1");
  EXPECT_TRUE(Run(1, kQuick).ok());
  EXPECT_EQ(Next(), "started 1");
}

TEST_F(SlotPoolTest, StopOfAnUnknownAttemptIsIgnored) {
  Start(1);
  pool_->Stop({5});
  EXPECT_TRUE(Run(6, kQuick).ok());
  EXPECT_EQ(Next(), "started 6");
}

TEST_F(SlotPoolTest, BundleTakesOneSlotAndItsAttemptsEndOneByOne) {
  Start(1);
  EXPECT_TRUE(pool_->Run({{{1, kQuick, {}}, {2, kWait, {}}, {3, kQuick, {}}}}).ok());
  EXPECT_THAT((std::vector{Next(), Next(), Next()}), ElementsAre("started 1", "started 2", "started 3"));
  EXPECT_EQ(Next(), "finished 1");
  EXPECT_TRUE(Run(4, kQuick).ok());  // waits for the slot
  EXPECT_EQ(Run(2, kQuick).code(), absl::StatusCode::kAlreadyExists);
  pool_->Stop({2});
  EXPECT_EQ(Next(), "stopped 2");
  EXPECT_EQ(Next(), "finished 3");
  EXPECT_EQ(Next(), "started 4");
}

TEST_F(SlotPoolTest, AttemptsOfAWaitingBundleAreStoppedOneByOne) {
  Start(1);
  EXPECT_TRUE(Run(1, kWait).ok());
  EXPECT_EQ(Next(), "started 1");
  EXPECT_TRUE(pool_->Run({{{2, kQuick, {}}, {3, kQuick, {}}}}).ok());
  pool_->Stop({2});
  EXPECT_EQ(Next(), "stopped 2");
  pool_->Stop({1});
  EXPECT_EQ(Next(), "stopped 1");
  EXPECT_EQ(Next(), "started 3");
}

TEST_F(SlotPoolTest, RefusedBundleRunsNoneOfItsJobs) {
  Start(1);
  EXPECT_EQ(pool_->Run({{{1, kQuick, {}}, {1, kQuick, {}}}}).code(), absl::StatusCode::kAlreadyExists);
  EXPECT_TRUE(Run(2, kQuick).ok());
  EXPECT_EQ(Next(), "started 2");
}

TEST_F(SlotPoolTest, ClosingStopsWhatRunsAndWhatWaits) {
  Start(1);
  EXPECT_TRUE(Run(1, kWait).ok());
  EXPECT_EQ(Next(), "started 1");
  EXPECT_TRUE(Run(2, kWait).ok());
  pool_.reset();
  EXPECT_THAT((std::vector{Next(), Next()}), ElementsAre("stopped 1", "stopped 2"));
}

}  // namespace
}  // namespace gridsweep
