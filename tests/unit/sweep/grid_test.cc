#include "common/sweep/grid.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "common/sweep/grid_size.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/sweep/sweep_text.h"

namespace gridsweep {
namespace {

using testing::ElementsAre;

std::string LabelAt(const Grid& grid, int64_t index) {
  std::string text;
  for (const std::string& label : AxisLabels(Catalog::Builtin(), grid.Job(index, 1))) text += label + " ";
  return text;
}

TEST(Grid, TheLastAxisVariesFastest) {
  const SweepSpec spec = Parse(SweepText("scheduler: [none, step]\nmodel: [mlp, cnn]")).value();
  const Grid grid(spec);
  EXPECT_EQ(grid.combinations(), 4);
  EXPECT_EQ(LabelAt(grid, 0), "mlp relu adam none none ");
  EXPECT_EQ(LabelAt(grid, 1), "mlp relu adam none step ");
  EXPECT_EQ(LabelAt(grid, 2), "cnn relu adam none none ");
  EXPECT_EQ(LabelAt(grid, 3), "cnn relu adam none step ");
}

TEST(Grid, AJobHasEverythingTheFileSays) {
  const SweepSpec spec =
      Parse(SweepText("regularization: { dropout: 0.2 }", "training: { epochs: 2 }\nobjective: test_loss"))
          .value();
  const JobSpec job = Grid(spec).Job(0, 7);
  EXPECT_EQ(job.dataset, "d");
  EXPECT_EQ(job.dataset_digest, "");
  EXPECT_EQ(job.seed, 7);
  EXPECT_EQ(job.training.epochs, 2);
  EXPECT_EQ(job.objective.metric, Metric::kTestLoss);
  EXPECT_EQ(job.regularization.size(), 1u);
  EXPECT_EQ(JobSpecFromJson(JobSpecToJson(job), Catalog::Builtin()).value(), job);
}

TEST(Grid, EveryCellHasItsOwnKey) {
  const SweepSpec spec =
      Parse(SweepText("model: [mlp, cnn]\nactivation: [relu, elu, tanh]\noptimizer: [adam, { sgd: { "
                      "lr: [0.1, 0.2] } }]\nregularization: [none, l1, { l1: 0.1, l2: 0.1 }]"))
          .value();
  const Grid grid(spec);
  std::set<std::string> keys;
  for (int64_t i = 0; i < grid.combinations(); ++i) keys.insert(CellKey(grid.Job(i, 1)));
  EXPECT_EQ(static_cast<int64_t>(keys.size()), 2 * 3 * 3 * 3);
}

const char kGrid[] =
    "model: [mlp, cnn]\nactivation: [relu, tanh]\noptimizer: [adam, { sgd: { lr: [0.1, 0.2], momentum: [0.5, "
    "0.9] } "
    "}]\nregularization: [none, l2, { l2: 0.1, dropout: 0.3 }]\nscheduler: [none, step, cosine]";

// Indices that a set of rules excludes, by the definition: every term of some rule matches.
std::set<int64_t> ExcludedBy(const std::string& rules) {
  const SweepSpec spec = Parse(SweepText(kGrid, "exclude:\n" + rules)).value();
  const Grid grid(spec);
  std::set<int64_t> excluded;
  std::vector<int64_t> by_rule(spec.exclude.size(), 0);
  for (int64_t i = 0; i < grid.combinations(); ++i) {
    const auto position = grid.Position(i);
    int first = -1;
    for (size_t rule = 0; rule < spec.exclude.size() && first < 0; ++rule) {
      bool all = true;
      for (const ExclusionTerm& term : spec.exclude[rule].terms) {
        const auto axis = static_cast<size_t>(term.axis);
        all = all && term.Matches(spec.axes[axis][position[axis]]);
      }
      if (all) first = static_cast<int>(rule);
    }
    EXPECT_EQ(grid.ExcludingRule(i), first) << i;
    EXPECT_EQ(grid.IsExcluded(i), first >= 0) << i;
    if (first < 0) continue;
    excluded.insert(i);
    ++by_rule[static_cast<size_t>(first)];
  }
  EXPECT_EQ(grid.cells(), grid.combinations() - static_cast<int64_t>(excluded.size()));
  EXPECT_EQ(grid.excluded_by_rule(), by_rule);
  return excluded;
}

TEST(Exclusions, CountWhatTheyRemove) {
  EXPECT_EQ(ExcludedBy("- { model: mlp }\n").size(), 90u);
  EXPECT_EQ(ExcludedBy("- { optimizer: sgd }\n").size(), 144u);
  EXPECT_EQ(ExcludedBy("- { optimizer: { sgd: { lr: 0.1 } } }\n").size(), 72u);
  EXPECT_EQ(ExcludedBy("- { optimizer: { sgd: { lr: 0.1, momentum: 0.5 } } }\n").size(), 36u);
  EXPECT_EQ(ExcludedBy("- { optimizer: { sgd: { lr: [0.1, 0.2], momentum: 0.5 } } }\n").size(), 72u);
  EXPECT_EQ(ExcludedBy("- { model: mlp, activation: [tanh], scheduler: [step, cosine] }\n").size(), 30u);
}

TEST(Exclusions, MatchRegularizationsByWhatTheyContain) {
  EXPECT_EQ(ExcludedBy("- { regularization: none }\n").size(), 60u);
  EXPECT_EQ(ExcludedBy("- { regularization: l2 }\n").size(), 120u);
  EXPECT_EQ(ExcludedBy("- { regularization: { l2: 0.1 } }\n").size(), 60u);
  EXPECT_EQ(ExcludedBy("- { regularization: { l2: , dropout: } }\n").size(), 60u);
  EXPECT_EQ(ExcludedBy("- { regularization: [none, dropout] }\n").size(), 120u);
}

TEST(Exclusions, AreCountedForTheFirstRuleThatMatches) {
  const SweepSpec spec =
      Parse(SweepText(kGrid,
                      "exclude: [{ model: mlp }, { activation: tanh }, { model: mlp, activation: tanh }]"))
          .value();
  EXPECT_THAT(Grid(spec).excluded_by_rule(), ElementsAre(90, 45, 0));
}

TEST(Exclusions, ManyRulesAgreeWithTheDefinition) {
  std::string rules;
  for (int i = 0; i < 70; ++i)
    rules += "- { model: cnn, optimizer: { sgd: { lr: 0.2 } }, scheduler: none }\n";
  rules += "- { activation: tanh, regularization: dropout }\n";
  EXPECT_EQ(ExcludedBy(rules).size(), 2u * 2 * 3 + 2 * 5 * 3 - 1 * 2 * 1);
}

// Rules of every shape, in an order that makes them overlap.
TEST(Exclusions, RulesOfEveryShapeAgreeWithTheDefinition) {
  const std::vector<std::vector<std::string>> terms = {
      {"", "model: mlp", "model: [cnn]"},
      {"", "activation: tanh", "activation: relu"},
      {"", "optimizer: adam", "optimizer: { sgd: { lr: 0.2 } }",
       "optimizer: [{ sgd: { momentum: 0.5 } }, adam]"},
      {"", "regularization: none", "regularization: [{ l2: , dropout: }, none]"},
      {"", "scheduler: cosine", "scheduler: [none, step]"}};
  for (const size_t step : {7, 11, 31}) {
    std::string rules;
    for (size_t i = 1; i < 150; ++i) {
      std::string rule;
      size_t rest = i * step;
      for (const auto& choices : terms) {
        const std::string& term = choices[rest % choices.size()];
        rest /= choices.size();
        if (!term.empty()) rule += (rule.empty() ? "" : ", ") + term;
      }
      // Mostly narrow rules: a wide one leaves nothing to those after it.
      if (std::count(rule.begin(), rule.end(), ':') > 3) rules += "- { " + rule + " }\n";
    }
    EXPECT_GT(ExcludedBy(rules).size(), 0u);
  }
  EXPECT_EQ(
      ExcludedBy("- { model: cnn, scheduler: step }\n- { activation: relu }\n- { model: mlp }\n").size(),
      180u - 1u * 1 * 5 * 3 * 2);
}

TEST(Exclusions, DoNotRenumberOtherCells) {
  const SweepSpec all = Parse(SweepText(kGrid)).value();
  const SweepSpec some = Parse(SweepText(kGrid, "exclude: [{ model: mlp }]")).value();
  EXPECT_EQ(Grid(all).Job(100, 1), Grid(some).Job(100, 1));
}

TEST(Grid, JobsAreCellsTimesSeeds) {
  const SweepSpec spec = Parse(SweepText(kGrid, "seeds: 3\nexclude: [{ model: mlp }]")).value();
  EXPECT_EQ(Grid(spec).cells(), 90);
  EXPECT_EQ(Grid(spec).jobs(), 270);
}

TEST(GridSize, IsExactWhileItFits) {
  GridSize size(1'000'000'000);
  size.Multiply(GridSize(9'000'000'000));
  EXPECT_EQ(size.Text(), "9,000,000,000,000,000,000");
  size.Add(GridSize(223'372'036'854'775'807));
  EXPECT_EQ(size.value(), std::numeric_limits<int64_t>::max());
  EXPECT_FALSE(size.Exceeds(std::numeric_limits<int64_t>::max()));
  size.Add(GridSize(1));
  EXPECT_TRUE(size.Exceeds(std::numeric_limits<int64_t>::max()));
  EXPECT_EQ(size.Text(), "about 9.2e+18");
}

TEST(GridSize, NamesSizesFarBeyondSixtyFourBits) {
  GridSize size(1);
  for (int i = 0; i < 10; ++i) size.Multiply(GridSize(1'000'000));
  EXPECT_EQ(size.Text(), "about 1.0e+60");
  for (int i = 0; i < 1'000; ++i) size.Multiply(GridSize(1'000'000));
  EXPECT_EQ(size.Text(), "about 1.0e+6060");
}

TEST(GridSize, StartsFromZero) {
  GridSize size(0);
  size.Add(GridSize(5));
  EXPECT_EQ(size.Text(), "5");
  EXPECT_EQ(CountText(0), "0");
  EXPECT_EQ(CountText(999), "999");
  EXPECT_EQ(CountText(1'000), "1,000");
}

}  // namespace
}  // namespace gridsweep
