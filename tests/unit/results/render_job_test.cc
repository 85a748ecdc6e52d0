#include "common/results/render_job.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gridsweep {
namespace {

using ::testing::HasSubstr;

JobReport Report() {
  JobReport job;
  job.id = 17;
  job.sweep = 3;
  job.sweep_name = "emnist-baseline";
  job.state = "succeeded";
  job.axes = {"model", "activation"};
  job.labels = {"cnn", "relu"};
  job.seed = 1;
  job.metric = "val_accuracy";
  job.objective = 0.82;
  job.objective_epoch = 2;
  job.params_json = R"({"model":"cnn"})";
  for (int64_t epoch = 1; epoch <= 3; ++epoch) {
    EpochMetrics metrics;
    metrics.epoch = epoch;
    metrics.train_loss = 1.0 / static_cast<double>(epoch);
    metrics.train_accuracy = 0.7 + 0.05 * static_cast<double>(epoch);
    metrics.val_loss = epoch == 2 ? 0.5 : 0.6;
    metrics.val_accuracy = epoch == 2 ? 0.82 : 0.80;
    metrics.test_loss = 0.61;
    metrics.test_accuracy = 0.81;
    metrics.lr = 0.001;
    metrics.seconds = 12.5;
    metrics.samples_per_second = 9023.4;
    job.epochs.push_back(metrics);
  }
  job.dataset.class_names = {"0", "O", "l"};
  job.evaluation.confusion = {80, 19, 1, 7, 90, 3, 0, 0, 100};
  job.evaluation.predictions = {{4, 0, 1, 0.51}, {9, 2, 2, 0.999}};
  AttemptReport lost{.number = 1, .state = "lost", .worker = "node1", .error = "lease expired"};
  AttemptReport accepted{
      .number = 2, .state = "succeeded", .accepted = true, .worker = "node2", .device = "cpu"};
  accepted.ended = accepted.started + absl::Seconds(75);
  lost.stderr_tail = "terminate called\n  what(): boom";
  job.attempts = {lost, accepted};
  return job;
}

TEST(RenderJob, MachinesGetStateAndAcceptanceApart) {
  JobReport job = Report();
  job.attempts[1].resumed_epoch = 1;
  EXPECT_THAT(RenderJob(job, OutputFormat::kTable, {.width = 140}),
              HasSubstr("succeeded, accepted, went on from epoch 1"));
  const auto json = ParseJson(RenderJob(job, OutputFormat::kJson, {}));
  ASSERT_TRUE(json.ok());
  EXPECT_EQ((*json)["attempts"][0]["state"], "lost");
  EXPECT_EQ((*json)["attempts"][0]["accepted"], false);
  EXPECT_EQ((*json)["attempts"][1]["state"], "succeeded");
  EXPECT_EQ((*json)["attempts"][1]["accepted"], true);
  EXPECT_EQ((*json)["attempts"][0]["resumed_epoch"], 0);
  EXPECT_EQ((*json)["attempts"][1]["resumed_epoch"], 1);
}

TEST(RenderJob, TellsTheWholeStory) {
  const std::string text = RenderJob(Report(), OutputFormat::kTable, {.width = 100});
  EXPECT_THAT(
      text,
      HasSubstr("job 17 of emnist-baseline (sweep 3): succeeded\nmodel = cnn, activation = relu, seed 1\n"
                "val_accuracy 82.0 % at epoch 2\n"));
  EXPECT_THAT(text, HasSubstr("val_accuracy *  ▁█▁"));
  EXPECT_THAT(text, HasSubstr("0       O              19           19.0 %"));
  EXPECT_THAT(text, HasSubstr("✗ wrong"));
  EXPECT_THAT(text, HasSubstr("lease expired"));
  EXPECT_THAT(text, HasSubstr("1 min 15 s"));
  EXPECT_THAT(text, HasSubstr("    what(): boom"));
}

TEST(RenderJob, BreaksItsHeadingBetweenWords) {
  EXPECT_THAT(RenderJob(Report(), OutputFormat::kTable, {.width = 40}),
              HasSubstr("\nmodel = cnn, activation = relu, seed 1\n"));
  EXPECT_THAT(RenderJob(Report(), OutputFormat::kTable, {.width = 30}),
              HasSubstr("\nmodel = cnn, activation =\n    relu, seed 1\n"));
}

TEST(RenderJob, TellsWhatWasSharedAndWhatTheJobCost) {
  JobReport job = Report();
  EXPECT_THAT(RenderJob(job, OutputFormat::kTable, {.width = 100}), HasSubstr("\ncost 37.5 s\n"));
  job.epochs[0].shared_by = 5;
  job.epochs[1].shared_by = 5;
  EXPECT_THAT(RenderJob(job, OutputFormat::kTable, {.width = 100}),
              HasSubstr("\ncost 17.5 s: epochs 1–2 were trained once for 5 jobs\n"));
  job.epochs[1].shared_by = 2;
  EXPECT_THAT(RenderJob(job, OutputFormat::kTable, {.width = 100}),
              HasSubstr(": epoch 1 was trained once for 5 jobs, 2 once for 2\n"));
  const absl::StatusOr<Json> json = ParseJson(RenderJob(job, OutputFormat::kJson, {}));
  ASSERT_TRUE(json.ok());
  EXPECT_EQ((*json)["seconds"], 2.5 + 6.25 + 12.5);
  EXPECT_EQ((*json)["shared_epochs"], 2);
  EXPECT_EQ((*json)["epochs"][1]["shared_by"], 2);
}

TEST(RenderJob, MachinesGetTheEpochs) {
  const std::string csv = RenderJob(Report(), OutputFormat::kCsv, {});
  EXPECT_THAT(
      csv,
      HasSubstr("epoch,train_loss,train_accuracy,val_loss,val_accuracy,test_loss,test_accuracy,lr,seconds,"
                "samples_per_second,shared_by\r\n1,1,0.75,"));
  const absl::StatusOr<Json> json = ParseJson(RenderJob(Report(), OutputFormat::kJson, {}));
  ASSERT_TRUE(json.ok());
  EXPECT_EQ((*json)["predictions"][0]["predicted"], "O");
  EXPECT_EQ((*json)["epochs"].size(), 3u);
}

TEST(RenderJob, AJobThatNeverRanIsShownToo) {
  JobReport job;
  job.id = 1;
  job.state = "pending";
  EXPECT_THAT(RenderJob(job, OutputFormat::kTable, {.width = 80}), HasSubstr("job 1"));
}

TEST(WorstConfusions, AreSortedByCountWithTheShareOfTheActualClass) {
  const std::vector<Confusion> worst = WorstConfusions({80, 19, 1, 7, 90, 3, 0, 0, 100}, 3);
  ASSERT_EQ(worst.size(), 3u);
  EXPECT_EQ(worst[0].actual, 0);
  EXPECT_EQ(worst[0].predicted, 1);
  EXPECT_EQ(worst[0].count, 19);
  EXPECT_DOUBLE_EQ(worst[0].share, 0.19);
  EXPECT_EQ(worst[1].count, 7);
  EXPECT_EQ(worst[2].count, 3);
}

TEST(WorstConfusions, AMatrixThatIsNotSquareHasNone) {
  EXPECT_TRUE(WorstConfusions({1, 2, 3}, 5).empty());
}

}  // namespace
}  // namespace gridsweep
