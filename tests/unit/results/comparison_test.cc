#include "common/results/comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/results/render_comparison.h"
#include "tests/support/status_matchers.h"

namespace gridsweep {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

JobReport Job(int64_t id, int64_t seed, double accuracy, const std::string& optimizer) {
  JobReport job{.id = id,
                .sweep_name = "s",
                .state = "succeeded",
                .labels = {optimizer},
                .seed = seed,
                .metric = "val_accuracy"};
  job.objective = accuracy;
  job.objective_epoch = 2;
  job.params_json =
      fmt::format(R"({{"optimizer":{{"name":"{}"}},"seed":{},"training":{{"samples":0,"validation":0.1}}}})",
                  optimizer, seed);
  job.epochs = {
      {.epoch = 1, .train_loss = 1, .train_accuracy = 0.5, .val_accuracy = accuracy - 0.1, .seconds = 2},
      {.epoch = 2, .train_loss = 0.5, .train_accuracy = 0.75, .val_accuracy = accuracy, .seconds = 2}};
  job.dataset = {
      .name = "toy", .digest = "d", .class_names = {"cat", "dog"}, .train_size = 1000, .test_size = 100};
  return job;
}

TEST(CompareSides, FindsWhatDiffersInParametersMetricsAndCurves) {
  const ComparedSide a{.name = "A", .jobs = {Job(1, 1, 0.9, "adam"), Job(2, 2, 0.92, "adam")}};
  const ComparedSide b{.name = "B", .jobs = {Job(3, 1, 0.8, "sgd"), Job(4, 2, 0.83, "sgd")}};
  ASSERT_OK_AND_ASSIGN(const Comparison comparison, CompareSides(a, b, ""));
  ASSERT_EQ(comparison.parameters.size(), 1u) << "the seeds of a cell are no difference";
  EXPECT_EQ(comparison.parameters[0].name, "optimizer.name");
  EXPECT_EQ(comparison.parameters[0].a, "\"adam\"");
  const auto val = std::find_if(comparison.metrics.begin(), comparison.metrics.end(),
                                [](const MetricDifference& m) { return m.metric == "val_accuracy"; });
  ASSERT_NE(val, comparison.metrics.end());
  EXPECT_NEAR(val->difference->mean, 0.095, 1e-12);
  EXPECT_EQ(val->difference->evidence, Evidence::kSeeds);
  ASSERT_EQ(comparison.curve.size(), 2u);
  EXPECT_NEAR(*comparison.curve[0].a, 0.81, 1e-12);
  EXPECT_THAT(CompareSides(a, b, "speed").status(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("unknown metric")));
}

TEST(CompareSides, CountsWherePredictionsAndConfusionsDiffer) {
  ComparedSide a{.name = "A", .jobs = {Job(1, 1, 0.9, "adam")}};
  ComparedSide b{.name = "B", .jobs = {Job(2, 7, 0.8, "sgd")}};
  a.jobs[0].evaluation = {.confusion = {9, 1, 2, 8},
                          .predictions = {{5, 0, 0, 0.9}, {6, 1, 1, 0.8}, {7, 1, 0, 0.6}}};
  b.jobs[0].evaluation = {.confusion = {9, 1, 5, 5},
                          .predictions = {{5, 0, 0, 0.9}, {6, 1, 0, 0.8}, {7, 1, 0, 0.6}}};
  ASSERT_OK_AND_ASSIGN(const Comparison comparison, CompareSides(a, b, ""));
  EXPECT_EQ(comparison.both_right, 1);
  EXPECT_EQ(comparison.only_a_right, 1);
  EXPECT_EQ(comparison.only_b_right, 0);
  EXPECT_EQ(comparison.both_wrong, 1);
  ASSERT_EQ(comparison.images.size(), 1u);
  EXPECT_EQ(comparison.images[0].image, 6);
  ASSERT_EQ(comparison.confusions.size(), 1u);
  EXPECT_EQ(comparison.confusions[0].b - comparison.confusions[0].a, 3);
  const std::string text = RenderComparison(comparison, a, b, OutputFormat::kTable, {.width = 100});
  EXPECT_THAT(
      text,
      HasSubstr(
          "Of 3 predictions for the sample of test images: both right 1, only A 1, only B 0, both wrong 1"));
  EXPECT_THAT(text, HasSubstr("6  dog     dog         yes  cat          no\n"));
  EXPECT_TRUE(ParseJson(RenderComparison(comparison, a, b, OutputFormat::kJson, {})).ok());
}

TEST(CompareSides, RefusesJobsOfDifferentData) {
  const ComparedSide a{.name = "job 1", .jobs = {Job(1, 1, 0.9, "adam")}};
  ComparedSide b{.name = "job 2", .jobs = {Job(2, 1, 0.9, "adam")}};
  b.jobs[0].dataset.name = "other";
  EXPECT_THAT(CompareSides(a, b, "").status(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("job 1 is of data set 'toy' and job 2 of 'other'")));
}

TEST(CompareSides, AJobWithoutAResultIsShownWithoutFigures) {
  const ComparedSide a{.name = "A", .jobs = {Job(1, 1, 0.9, "adam")}};
  ComparedSide b{.name = "B", .jobs = {Job(2, 1, 0.9, "sgd")}};
  b.jobs[0].objective.reset();
  b.jobs[0].epochs.clear();
  ASSERT_OK_AND_ASSIGN(const Comparison comparison, CompareSides(a, b, ""));
  const std::string text = RenderComparison(comparison, a, b, OutputFormat::kTable, {.width = 100});
  EXPECT_THAT(text, Not(HasSubstr("nan")));
  EXPECT_THAT(text, HasSubstr("val_accuracy"));
}

}  // namespace
}  // namespace gridsweep
