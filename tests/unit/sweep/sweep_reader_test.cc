#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"
#include "tests/unit/sweep/sweep_text.h"

namespace gridsweep {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

std::vector<std::string> LabelsOf(Axis axis, const std::string& value) {
  const auto spec = Parse(SweepText(std::string(AxisName(axis)) + ": " + value));
  EXPECT_THAT(spec, IsOk());
  return spec.ok() ? Labels(*spec, axis) : std::vector<std::string>();
}

TEST(ParseSweep, LeftOutPartsHaveDefaults) {
  ASSERT_OK_AND_ASSIGN(const SweepSpec spec, Parse("name: n-1.a_b\ndataset: emnist-balanced\ngrid: {}\n"));
  EXPECT_EQ(spec.name, "n-1.a_b");
  EXPECT_EQ(spec.dataset, "emnist-balanced");
  EXPECT_EQ(spec.training, TrainingSpec());
  EXPECT_EQ(spec.objective, (Objective{Metric::kValAccuracy, Goal::kMax, EpochRule::kBest}));
  EXPECT_THAT(spec.seeds, ElementsAre(1));
  EXPECT_THAT(Labels(spec, Axis::kModel), ElementsAre("mlp"));
  EXPECT_THAT(Labels(spec, Axis::kActivation), ElementsAre("relu"));
  EXPECT_THAT(Labels(spec, Axis::kOptimizer), ElementsAre("adam"));
  EXPECT_THAT(Labels(spec, Axis::kRegularization), ElementsAre("none"));
  EXPECT_THAT(Labels(spec, Axis::kScheduler), ElementsAre("none"));
}

TEST(ParseSweep, ReadsTrainingSettings) {
  ASSERT_OK_AND_ASSIGN(
      const SweepSpec spec,
      Parse(SweepText("model: mlp",
                      "training: { epochs: 3, batch_size: 64, validation: 0.2, samples: 5000 }")));
  EXPECT_EQ(spec.training, (TrainingSpec{3, 64, 0.2, 5000}));
}

TEST(ParseSweep, ObjectiveDefaultsFollowTheMetricAndTheSplit) {
  EXPECT_EQ(Parse(SweepText("model: mlp", "training: { validation: 0 }"))->objective.metric,
            Metric::kTestAccuracy);
  EXPECT_EQ(Parse(SweepText("model: mlp", "objective: val_loss"))->objective,
            (Objective{Metric::kValLoss, Goal::kMin, EpochRule::kBest}));
  EXPECT_EQ(Parse(SweepText("model: mlp", "objective: { metric: test_accuracy, epoch: last }"))->objective,
            (Objective{Metric::kTestAccuracy, Goal::kMax, EpochRule::kLast}));
  EXPECT_EQ(Parse(SweepText("model: mlp", "objective: { metric: train_loss, goal: max }"))->objective.goal,
            Goal::kMax);
}

TEST(ParseSweep, ReadsSeeds) {
  EXPECT_THAT(Parse(SweepText("model: mlp", "seeds: 3"))->seeds, ElementsAre(1, 2, 3));
  EXPECT_THAT(Parse(SweepText("model: mlp", "seeds: [14, 0, 4294967295]"))->seeds,
              ElementsAre(14, 0, 4294967295));
}

TEST(ParseSweep, AnAxisIsAListOrASingleValue) {
  EXPECT_THAT(LabelsOf(Axis::kOptimizer, "sgd"), ElementsAre("sgd"));
  EXPECT_THAT(LabelsOf(Axis::kOptimizer, "{ sgd: { lr: 0.1 } }"), ElementsAre("sgd(lr=0.1)"));
  EXPECT_THAT(LabelsOf(Axis::kOptimizer, "[sgd, adam]"), ElementsAre("sgd", "adam"));
  EXPECT_THAT(LabelsOf(Axis::kOptimizer, "[{ sgd: }, { adam: {} }]"), ElementsAre("sgd", "adam"));
}

TEST(ParseSweep, NoneIsAName) {
  EXPECT_THAT(LabelsOf(Axis::kScheduler, "none"), ElementsAre("none"));
  EXPECT_THAT(LabelsOf(Axis::kScheduler, "[\"none\", step]"), ElementsAre("none", "step"));
  EXPECT_THAT(LabelsOf(Axis::kRegularization, "[none, { none: }]"), ElementsAre("none"));
}

TEST(ParseSweep, NestedListsAreAxesInTheOrderOfTheCatalog) {
  EXPECT_THAT(LabelsOf(Axis::kOptimizer, "{ sgd: { momentum: [0.1, 0.2], lr: [1, 2] } }"),
              ElementsAre("sgd(lr=1, momentum=0.1)", "sgd(lr=1, momentum=0.2)", "sgd(lr=2, momentum=0.1)",
                          "sgd(lr=2, momentum=0.2)"));
}

TEST(ParseSweep, AnIntListIsOneValueAndAListOfThemIsAnAxis) {
  EXPECT_THAT(LabelsOf(Axis::kModel, "{ cnn: { channels: [16, 32] } }"),
              ElementsAre("cnn(channels=[16, 32])"));
  EXPECT_THAT(LabelsOf(Axis::kModel, "{ cnn: { channels: [[16, 32], [8]] } }"),
              ElementsAre("cnn(channels=[16, 32])", "cnn(channels=[8])"));
}

TEST(ParseSweep, APrimaryParameterNeedsNoName) {
  EXPECT_THAT(
      LabelsOf(Axis::kRegularization, "[{ l2: 0.01 }, { l2: [0.02, 0.03] }, { dropout: { p: 0.5 } }]"),
      ElementsAre("l2(0.01)", "l2(0.02)", "l2(0.03)", "dropout(0.5)"));
}

TEST(ParseSweep, RegularizationsCombine) {
  EXPECT_THAT(LabelsOf(Axis::kRegularization, "[{ dropout: 0.3, l2: [0.01, 0.02] }]"),
              ElementsAre("l2(0.01)+dropout(0.3)", "l2(0.02)+dropout(0.3)"));
  ASSERT_OK_AND_ASSIGN(const SweepSpec spec, Parse(SweepText("regularization: { l2: , dropout: , l1: }")));
  const std::vector<Component>& components = spec.axis(Axis::kRegularization)[0].components;
  ASSERT_THAT(components, SizeIs(3));
  EXPECT_EQ(components[0].name, "dropout");
  EXPECT_EQ(components[1].name, "l1");
  EXPECT_EQ(components[2].name, "l2");
}

TEST(ParseSweep, EqualValuesAreFoldedAndCounted) {
  ASSERT_OK_AND_ASSIGN(
      const SweepSpec spec,
      Parse(SweepText("optimizer: [adam, { sgd: { lr: [0.1, 1.0e-1, 0.10] } }, { adam: { lr: 0.001 } }]\n"
                      "regularization: [{ l2: 0.1, dropout: 0.2 }, { dropout: 0.2, l2: 0.1 }]")));
  EXPECT_THAT(Labels(spec, Axis::kOptimizer), ElementsAre("adam", "sgd(lr=0.1)"));
  EXPECT_THAT(spec.duplicates, ElementsAre(0, 0, 3, 1, 0));
}

TEST(ParseSweep, FloatsAreReadInEveryCommonSpelling) {
  EXPECT_THAT(
      LabelsOf(Axis::kOptimizer, "{ sgd: { lr: [1e-3, 1.0E-2, .1, 2., +3, 4] } }"),
      ElementsAre("sgd(lr=0.001)", "sgd(lr=0.01)", "sgd(lr=0.1)", "sgd(lr=2)", "sgd(lr=3)", "sgd(lr=4)"));
}

TEST(ParseSweep, AcceptsWindowsLineEndsAndAByteOrderMark) {
  EXPECT_THAT(Parse("\xef\xbb\xbfname: n\r\ndataset: d\r\ngrid:\r\n  model: [mlp]\r\n"), IsOk());
}

TEST(ParseSweep, ExclusionsKeepTheirTextAndLine) {
  ASSERT_OK_AND_ASSIGN(
      const SweepSpec spec,
      Parse(SweepText("model: [mlp, cnn]\noptimizer: [adam, sgd]",
                      "exclude:\n  - { model: mlp, optimizer: [adam] }\n  - model: cnn\n    optimizer: "
                      "{ sgd: { lr: 0.05 } }\n")));
  ASSERT_THAT(spec.exclude, SizeIs(2));
  EXPECT_EQ(spec.exclude[0].line, 4);
  EXPECT_EQ(spec.exclude[0].text, "{model: mlp, optimizer: [adam]}");
  EXPECT_EQ(spec.exclude[1].line, 5);
  EXPECT_EQ(spec.exclude[1].text, "{model: cnn, optimizer: {sgd: {lr: 0.05}}}");
}

}  // namespace
}  // namespace gridsweep
