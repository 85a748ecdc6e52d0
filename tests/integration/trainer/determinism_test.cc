// A job's numbers depend on its parameters, data and seed, and on nothing else.
#include <gtest/gtest.h>

#include "tests/integration/trainer/tiny_dataset.h"
#include "tests/integration/trainer/trainer_process.h"

namespace gridsweep {
namespace {

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
      for (const char* key : {"seconds", "samples_per_second", "attempt"}) event.erase(key);
      text += event.dump() + "\n";
    }
    return text;
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
