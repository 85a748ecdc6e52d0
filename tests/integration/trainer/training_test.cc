// What a job reports, through the real program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "tests/integration/trainer/tiny_dataset.h"
#include "tests/integration/trainer/trainer_process.h"

namespace gridsweep {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class TrainingTest : public ::testing::Test {
 protected:
  // All events of one job.
  std::vector<Json> Run(const Json& job) {
    if (!trainer_) {
      trainer_ = std::make_unique<TrainerProcess>(std::vector<std::string>{"--data-dir", data_.path()});
      EXPECT_EQ(trainer_->Next()["type"], "hello");
    }
    trainer_->SendRun(++attempt_, job);
    return trainer_->Finish(attempt_);
  }
  static std::vector<Json> Epochs(const std::vector<Json>& events) {
    std::vector<Json> epochs;
    for (const Json& event : events) {
      if (event["type"] == "epoch") epochs.push_back(event);
    }
    return epochs;
  }

  TinyDataset data_;
  std::unique_ptr<TrainerProcess> trainer_;
  int64_t attempt_ = 0;
};

TEST_F(TrainingTest, EventsOfAJob) {
  const auto events = Run(TinyJob());
  ASSERT_EQ(events.size(), 4u);
  const Json& started = events[0];
  EXPECT_EQ(started["type"], "started");
  EXPECT_EQ(started["dataset"]["name"], "tiny");
  EXPECT_EQ(started["dataset"]["digest"].get<std::string>().size(), 64u);
  EXPECT_EQ(started["dataset"]["class_names"], Json({"0", "1", "2", "3"}));
  EXPECT_EQ(started["dataset"]["train_size"], 200);
  EXPECT_EQ(started["dataset"]["test_size"], 60);
  EXPECT_EQ(started["device"], "cpu");
  for (int epoch = 1; epoch <= 2; ++epoch) {
    const Json& event = events[static_cast<size_t>(epoch)];
    EXPECT_EQ(event["type"], "epoch");
    EXPECT_EQ(event["epoch"], epoch);
    EXPECT_EQ(event["lr"], 0.01);
    for (const char* loss : {"train_loss", "val_loss", "test_loss"}) EXPECT_GT(event[loss], 0) << loss;
    for (const char* accuracy : {"train_accuracy", "val_accuracy", "test_accuracy"}) {
      EXPECT_GE(event[accuracy], 0) << accuracy;
      EXPECT_LE(event[accuracy], 1) << accuracy;
    }
    EXPECT_GT(event["seconds"], 0);
    EXPECT_GT(event["samples_per_second"], 0);
  }
  EXPECT_EQ(events[3]["outcome"], "succeeded");
}

TEST_F(TrainingTest, BothModelsLearn) {
  for (const char* model : {"mlp", "cnn"}) {
    Json job = TinyJob();
    job["model"] = ComponentJson(model);
    job["training"]["epochs"] = 5;
    EXPECT_GT(Epochs(Run(job)).back()["test_accuracy"], 0.9) << model;
  }
}

TEST_F(TrainingTest, EvaluationIsThatOfTheObjectivesEpoch) {
  for (const char* rule : {"best", "last"}) {
    Json job = TinyJob();
    // Ranked by the lowest accuracy: the best epoch is an early one.
    job["objective"] = {{"epoch", rule}, {"goal", "min"}, {"metric", "test_accuracy"}};
    job["training"]["epochs"] = 4;
    const auto events = Run(job);
    const auto epochs = Epochs(events);
    double expected = epochs.back()["test_accuracy"];
    if (rule == std::string("best")) {
      for (const Json& epoch : epochs) expected = std::min(expected, epoch["test_accuracy"].get<double>());
      ASSERT_LT(expected, epochs.back()["test_accuracy"]) << "this job cannot tell the rules apart";
    }
    const auto confusion = events.back()["evaluation"]["confusion"].get<std::vector<int>>();
    ASSERT_EQ(confusion.size(), 16u);
    EXPECT_EQ(std::accumulate(confusion.begin(), confusion.end(), 0), 60);
    EXPECT_NEAR((confusion[0] + confusion[5] + confusion[10] + confusion[15]) / 60.0, expected, 1e-12)
        << rule;
    for (int row = 0; row < 4; ++row) {  // a row is an actual class
      EXPECT_EQ(std::accumulate(confusion.begin() + 4 * row, confusion.begin() + 4 * row + 4, 0), 15);
    }
  }
}

TEST_F(TrainingTest, SampledPredictionsAreAtFixedPlaces) {
  const auto events = Run(TinyJob());
  const Json predictions = events.back()["evaluation"]["predictions"];
  ASSERT_EQ(predictions.size(), 32u);
  for (size_t k = 0; k < 32; ++k) {
    const auto index = static_cast<int>(k * 60 / 32);
    EXPECT_EQ(predictions[k][0], index);
    EXPECT_EQ(predictions[k][1], index % 4);
    EXPECT_GT(predictions[k][3], 0.25);  // the most probable of four classes
    EXPECT_LE(predictions[k][3], 1);
  }
}

TEST_F(TrainingTest, NothingHeldOutMeansNoValidationMetrics) {
  Json job = TinyJob();
  job["training"]["validation"] = 0;
  job["objective"]["metric"] = "test_loss";
  job["objective"]["goal"] = "min";
  const auto epochs = Epochs(Run(job));
  ASSERT_EQ(epochs.size(), 2u);
  EXPECT_FALSE(epochs[0].contains("val_loss"));
  EXPECT_FALSE(epochs[0].contains("val_accuracy"));
}

TEST_F(TrainingTest, SchedulerSetsTheRateOfEachEpoch) {
  Json job = TinyJob();
  job["scheduler"] = ComponentJson("step", {{"step_size", 2}, {"gamma", 0.5}});
  job["training"]["epochs"] = 5;
  std::vector<double> rates;
  for (const Json& epoch : Epochs(Run(job))) rates.push_back(epoch["lr"]);
  EXPECT_THAT(rates, ElementsAre(0.01, 0.01, 0.005, 0.005, 0.0025));
}

TEST_F(TrainingTest, LastBatchOfOneImageDoesNotSpoilBatchNorm) {
  Json job = TinyJob();
  job["training"] = {{"batch_size", 16}, {"epochs", 1}, {"samples", 33}, {"validation", 0.1}};
  const auto events = Run(job);
  EXPECT_EQ(events.back()["outcome"], "succeeded");
  EXPECT_TRUE(Epochs(events)[0]["test_loss"].is_number()) << Epochs(events)[0];
}

TEST_F(TrainingTest, BatchOfOneWithBatchNormIsRefusedWithACure) {
  Json job = TinyJob();
  job["training"]["batch_size"] = 1;
  const Json end = Run(job).back();
  EXPECT_EQ(end["outcome"], "failed");
  EXPECT_EQ(end["retryable"], false);
  EXPECT_THAT(end["error"].get<std::string>(), HasSubstr("batch_norm"));
  job["model"]["params"]["batch_norm"] = false;
  EXPECT_EQ(Run(job).back()["outcome"], "succeeded");
}

TEST_F(TrainingTest, ExplodingJobDiverges) {
  Json job = TinyJob();
  job["model"]["params"]["batch_norm"] = false;
  job["optimizer"] = ComponentJson("sgd", {{"lr", 10}});
  job["regularization"] =
      Json::array({ComponentJson("l2", {{"lambda", 1}})});  // each step multiplies the weights by -9
  job["training"]["epochs"] = 50;
  const auto events = Run(job);
  EXPECT_EQ(events.back()["outcome"], "diverged");
  EXPECT_THAT(events.back()["error"].get<std::string>(), HasSubstr("non-finite"));
  const auto epochs = Epochs(events);
  ASSERT_FALSE(epochs.empty());
  EXPECT_LT(epochs.size(), 50u);
  EXPECT_TRUE(epochs.back()["train_loss"].is_string() || epochs.back()["test_loss"].is_string())
      << epochs.back();
}

}  // namespace
}  // namespace gridsweep
