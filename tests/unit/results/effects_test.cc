#include "common/results/effects.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "common/results/anova.h"

namespace gridsweep {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// A sweep of two axes, model and optimizer.
class EffectsTest : public ::testing::Test {
 protected:
  EffectsTest() {
    input_.axes = {"model", "optimizer"};
    input_.levels = {{"mlp", "cnn"}, {"adam", "sgd", "rmsprop"}};
    input_.metric = "val_accuracy";
    input_.measure = {.goal = Goal::kMax, .images = 10'000};
  }

  void AddJob(int model, int optimizer, int64_t seed, std::optional<double> value,
              JobState state = JobState::kSucceeded) {
    const int64_t ordinal = model * 3 + optimizer;
    auto cell = std::find_if(input_.cells.begin(), input_.cells.end(),
                             [&](const CellResults& c) { return c.ordinal == ordinal; });
    if (cell == input_.cells.end()) {
      input_.cells.push_back({.cell = ordinal + 1,
                              .ordinal = ordinal,
                              .labels = {input_.levels[0][static_cast<size_t>(model)],
                                         input_.levels[1][static_cast<size_t>(optimizer)]},
                              .jobs = {}});
      cell = input_.cells.end() - 1;
    }
    JobResult job;
    job.job = ordinal * 10 + seed;
    job.seed = seed;
    job.state = state;
    job.objective = value;
    cell->jobs.push_back(job);
  }

  template <typename Value>
  void AddAll(int seeds, Value value) {
    for (int model = 0; model < 2; ++model) {
      for (int optimizer = 0; optimizer < 3; ++optimizer) {
        for (int seed = 1; seed <= seeds; ++seed)
          AddJob(model, optimizer, seed, value(model, optimizer, seed));
      }
    }
  }

  EffectsInput input_;
};

double Example(int model, int optimizer, int seed) {
  return 0.7 + 0.1 * model + 0.02 * optimizer * model + 0.001 * ((seed * 7 + optimizer * 5 + model * 3) % 11);
}

TEST_F(EffectsTest, NamesTheTermsAndWhatChoosingOtherwiseCosts) {
  AddAll(3, Example);
  const Effects effects = AnalyzeEffects(input_);
  std::vector<std::string> names;
  for (const EffectTerm& term : effects.terms) names.push_back(term.name);
  EXPECT_THAT(names, ElementsAre("model", "optimizer", "seed", "model × optimizer"));
  EXPECT_THAT(effects.leader, ElementsAre("cnn", "rmsprop"));
  ASSERT_EQ(effects.levels.size(), 5u);
  EXPECT_TRUE(effects.levels[1].of_leader);
  EXPECT_FALSE(effects.levels[1].cost.has_value());
  // mlp instead of cnn, with rmsprop: 0.14 apart but for the noise.
  EXPECT_NEAR(effects.levels[0].cost->mean, 0.14, 0.01);
  EXPECT_LT(*effects.levels[0].cost->p, 0.05);
  EXPECT_EQ(effects.levels[0].cells, 3);
  EXPECT_EQ(effects.levels[0].results, 9);
  EXPECT_THAT(effects.notes, IsEmpty());
}

TEST_F(EffectsTest, TheOrderOfCellsAndJobsCannotChangeADigit) {
  AddAll(3, Example);
  const auto fingerprint = [](const Effects& effects) {
    std::string text;
    for (const EffectTerm& term : effects.terms)
      text += fmt::format("{} {:a} {:a}\n", term.name, term.sum_of_squares, *term.p);
    for (const EffectLevel& level : effects.levels)
      text += fmt::format("{:a} {:a}\n", *level.mean, *level.ci);
    return text;
  };
  const std::string expected = fingerprint(AnalyzeEffects(input_));
  std::mt19937 random(3);
  for (int i = 0; i < 20; ++i) {
    std::shuffle(input_.cells.begin(), input_.cells.end(), random);
    for (CellResults& cell : input_.cells) std::shuffle(cell.jobs.begin(), cell.jobs.end(), random);
    ASSERT_EQ(fingerprint(AnalyzeEffects(input_)), expected);
  }
}

TEST_F(EffectsTest, SaysWhatHasNoPartInIt) {
  AddAll(3, Example);
  input_.cells[4].jobs[0].state = JobState::kDiverged;
  input_.cells[4].jobs[0].objective.reset();
  input_.cells[5].jobs[1].state = JobState::kFailed;
  input_.cells[5].jobs[1].objective.reset();
  const Effects effects = AnalyzeEffects(input_);
  EXPECT_EQ(effects.observations, 16);
  EXPECT_THAT(effects.notes, Contains("2 of 18 jobs have no part in it: 1 diverged, 1 failed."));
  EXPECT_THAT(effects.notes,
              Contains(HasSubstr("A level that makes jobs diverge is worse than its mean says")));
  EXPECT_EQ(effects.levels[1].diverged, 1);
}

TEST_F(EffectsTest, DegenerateSweepsGetAPlainSentence) {
  EXPECT_THAT(AnalyzeEffects(input_).notes, ElementsAre("The sweep has no cells."));
  AddAll(2, [](int, int, int) { return 0.85; });
  EXPECT_THAT(AnalyzeEffects(input_).notes,
              ElementsAre("All 12 results have the same val_accuracy, 85.0 %: no axis makes a difference."));
  for (CellResults& cell : input_.cells) {
    for (JobResult& job : cell.jobs) {
      job.state = JobState::kDiverged;
      job.objective.reset();
    }
  }
  const Effects diverged = AnalyzeEffects(input_);
  EXPECT_THAT(diverged.notes, ElementsAre("All 12 jobs diverged: there is nothing to compare."));
  EXPECT_THAT(diverged.terms, IsEmpty());
  EXPECT_THAT(diverged.leader, IsEmpty());
  input_.levels = {{"mlp"}, {"adam"}};
  input_.cells.resize(1);
  EXPECT_THAT(AnalyzeEffects(input_).notes,
              ElementsAre("No axis takes more than one value: there is nothing to compare."));
}

TEST_F(EffectsTest, WithOneSeedTheInteractionIsWhatTheEffectsAreTestedAgainst) {
  AddAll(1, Example);
  const Effects effects = AnalyzeEffects(input_);
  ASSERT_EQ(effects.terms.size(), 2u);
  EXPECT_EQ(effects.residual_df, 2);
  EXPECT_THAT(effects.notes, Contains(HasSubstr("Interactions left out")));
  EXPECT_THAT(effects.notes, Contains(HasSubstr("not against other seeds")));
}

TEST(AnalyzeVariance, ALargeInteractionIsLeftOutRatherThanWaitedFor) {
  FactorialSample sample;
  sample.factors = {{.levels = 60}, {.levels = 60}};
  std::mt19937 random(5);
  for (int a = 0; a < 60; ++a) {
    for (int b = 0; b < 60; ++b) {
      for (int i = 0; i < 2; ++i) {
        sample.levels.push_back({a, b});
        sample.values.push_back(static_cast<double>(random() % 1000));
      }
    }
  }
  const VarianceAnalysis analysis = AnalyzeVariance(sample);
  EXPECT_THAT(analysis.without, ElementsAre(std::pair(0, 1)));
  EXPECT_EQ(analysis.terms.size(), 2u);
}

}  // namespace
}  // namespace gridsweep
