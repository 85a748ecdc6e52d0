// A job's numbers depend on its parameters, data and seed, and on nothing else.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/trainer/tiny_dataset.h"
#include "tests/integration/trainer/trainer_process.h"

namespace gridsweep {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class DeterminismTest : public ::testing::Test {
 protected:
  std::unique_ptr<TrainerProcess> Start(int slots) {
    auto trainer = std::make_unique<TrainerProcess>(
        std::vector<std::string>{"--slots", std::to_string(slots), "--data-dir", data_.path()});
    EXPECT_EQ(trainer->Next()["type"], "hello");
    return trainer;
  }

  // A job that uses every source of randomness and takes long enough to overlap with another.
  static Json Job(const char* model, int seed) {
    Json job = TinyJob();
    job["model"] = ComponentJson(model);
    job["regularization"] = Json::array({ComponentJson("dropout"), ComponentJson("l1")});
    job["training"]["epochs"] = 6;
    job["seed"] = seed;
    return job;
  }

  // Everything but the clock and the attempt's number.
  static std::string Numbers(std::vector<Json> events) {
    std::string text;
    for (Json& event : events) {
      for (const char* key : {"seconds", "samples_per_second", "attempt", "shared_by"}) event.erase(key);
      text += event.dump() + "\n";
    }
    return text;
  }

  static std::vector<int64_t> SharedBy(const std::vector<Json>& events) {
    std::vector<int64_t> shared;
    for (const Json& event : events) {
      if (event["type"] == "epoch") shared.push_back(event["shared_by"]);
    }
    return shared;
  }

  std::string RunAlone(TrainerProcess& trainer, int64_t attempt, const Json& job) {
    trainer.SendRun(attempt, job);
    return Numbers(trainer.Finish(attempt));
  }

  TinyDataset data_;
};

TEST_F(DeterminismTest, AloneAgainAfterARestartAndBesideOthers) {
  const Json mlp = Job("mlp", 1), cnn = Job("cnn", 1);
  auto one = Start(1);
  const std::string expected_mlp = RunAlone(*one, 1, mlp), expected_cnn = RunAlone(*one, 2, cnn);
  EXPECT_NE(expected_mlp.find("\"succeeded\""), std::string::npos) << expected_mlp;
  EXPECT_NE(expected_cnn.find("\"succeeded\""), std::string::npos) << expected_cnn;
  EXPECT_EQ(RunAlone(*one, 3, mlp), expected_mlp) << "again, in the same process";
  EXPECT_EQ(RunAlone(*one, 4, cnn), expected_cnn) << "again, in the same process";

  auto two = Start(2);
  two->SendRun(1, cnn);
  two->SendRun(2, mlp);
  two->SendRun(3, mlp);  // waits for a slot, then runs beside the first
  two->SendRun(4, cnn);
  EXPECT_EQ(Numbers(two->Finish(1)), expected_cnn) << "in a new process, beside others";
  EXPECT_EQ(Numbers(two->Finish(2)), expected_mlp) << "in a new process, beside others";
  EXPECT_EQ(Numbers(two->Finish(3)), expected_mlp) << "in a new process, beside others";
  EXPECT_EQ(Numbers(two->Finish(4)), expected_cnn) << "in a new process, beside others";
}

// Schedules whose learning rates part after different epochs, some never.
TEST_F(DeterminismTest, SharedEpochsGiveTheNumbersOfTrainingAlone) {
  const std::vector<Json> schedulers = {ComponentJson("none"),
                                        ComponentJson("step", {{"step_size", 2}}),
                                        ComponentJson("step", {{"step_size", 2}, {"gamma", 0.1}}),
                                        ComponentJson("step", {{"step_size", 4}}),
                                        ComponentJson("plateau", {{"patience", 0}, {"threshold", 1.0}}),
                                        ComponentJson("exponential"),
                                        ComponentJson("exponential", {{"gamma", 1.0}}),
                                        ComponentJson("cosine")};
  for (const char* model : {"mlp", "cnn"}) {
    auto trainer = Start(1);
    std::vector<Json> jobs;
    std::vector<std::string> alone;
    for (const Json& scheduler : schedulers) {
      jobs.push_back(Job(model, 1));
      jobs.back()["scheduler"] = scheduler;
      alone.push_back(RunAlone(*trainer, static_cast<int64_t>(jobs.size()), jobs.back()));
    }
    trainer->SendBundle(101, jobs);
    for (size_t i = 0; i < jobs.size(); ++i) {
      std::vector<Json> events = trainer->Finish(101 + static_cast<int64_t>(i));
      EXPECT_EQ(SharedBy(events)[0], static_cast<int64_t>(jobs.size()));
      if (schedulers[i]["name"] == "cosine") {
        EXPECT_THAT(SharedBy(events), ElementsAre(8, 1, 1, 1, 1, 1));
      }
      if (schedulers[i]["name"] == "none") {
        EXPECT_EQ(SharedBy(events)[1], 5) << "with all steps and the constant exponential";
        EXPECT_EQ(SharedBy(events).back(), 2) << "with the constant exponential";
      }
      EXPECT_EQ(Numbers(events), alone[i]) << model << " " << schedulers[i];
    }
  }
}

TEST_F(DeterminismTest, StoppedJobsOfABundleDoNotDisturbTheOthers) {
  auto trainer = Start(1);
  std::vector<Json> jobs(3, Job("mlp", 1));
  for (Json& job : jobs) job["training"]["epochs"] = 300;
  jobs[1]["scheduler"] = ComponentJson("step", {{"step_size", 1}});
  jobs[2]["scheduler"] = ComponentJson("exponential", {{"gamma", 0.99}});
  const std::string alone = RunAlone(*trainer, 1, jobs[0]);
  trainer->SendBundle(11, jobs);
  trainer->Send(R"({"type":"stop","attempt":13})");  // waits for its turn, or has not begun
  EXPECT_EQ(trainer->Finish(13).back()["type"], "stopped");
  trainer->Send(R"({"type":"stop","attempt":12})");
  EXPECT_EQ(Numbers(trainer->Finish(11)), alone);
}

TEST_F(DeterminismTest, JobsThatShareNothingAreNoBundle) {
  auto trainer = Start(1);
  trainer->SendBundle(1, {Job("mlp", 1), Job("mlp", 2)});
  const Json refused = trainer->Finish(2).back();
  EXPECT_EQ(refused["outcome"], "failed");
  EXPECT_EQ(refused["retryable"], false);
  EXPECT_THAT(refused["error"].get<std::string>(), HasSubstr("differ in the scheduler alone"));
  EXPECT_EQ(trainer->Finish(1).back()["outcome"], "succeeded");
}

TEST_F(DeterminismTest, AfterAStoppedAttempt) {
  auto trainer = Start(1);
  const std::string expected = RunAlone(*trainer, 1, Job("mlp", 1));
  Json endless = Job("mlp", 1);
  endless["training"]["epochs"] = 10000;
  trainer->SendRun(2, endless);
  EXPECT_EQ(trainer->Next()["type"], "started");
  EXPECT_EQ(trainer->Next()["type"], "epoch");
  trainer->Send(R"({"type":"stop","attempt":2})");
  EXPECT_EQ(trainer->Finish(2).back()["type"], "stopped");
  EXPECT_EQ(RunAlone(*trainer, 3, Job("mlp", 1)), expected);
}

TEST_F(DeterminismTest, AnotherSeedGivesOtherNumbers) {
  auto trainer = Start(1);
  EXPECT_NE(RunAlone(*trainer, 1, Job("mlp", 1)), RunAlone(*trainer, 2, Job("mlp", 2)));
}

TEST_F(DeterminismTest, ObjectiveDoesNotChangeTheCurve) {
  auto trainer = Start(1);
  const auto curve = [&](int64_t attempt, const char* rule) {
    Json job = Job("mlp", 1);
    job["objective"]["epoch"] = rule;
    trainer->SendRun(attempt, job);
    auto events = trainer->Finish(attempt);
    events.pop_back();
    return Numbers(events);
  };
  EXPECT_EQ(curve(1, "best"), curve(2, "last"));
}

}  // namespace
}  // namespace gridsweep
