#include "common/sweep/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "common/catalog/describe.h"
#include "common/catalog/wrap_text.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/sweep/sweep_text.h"

namespace gridsweep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const char kBaseline[] = R"(name: emnist-baseline
dataset: emnist-balanced
training: { epochs: 10, batch_size: 128, validation: 0.1 }
objective: val_accuracy
seeds: 3
grid:
  model:          [mlp, cnn, { cnn: { channels: [[16, 32], [32, 64]], batch_norm: [true, false] } }]
  activation:     [relu, leaky_relu, elu]
  optimizer:      [adam, rmsprop, { sgd: { lr: [0.05, 0.01], momentum: 0.9 } }]
  regularization: [none, { l1: 1.0e-5 }, { l2: 1.0e-4 }, { dropout: 0.3 }, { l2: 1.0e-4, dropout: 0.3 }]
  scheduler:      [none, { step: { step_size: 3, gamma: 0.5 } }, { plateau: { factor: 0.5, patience: 1 } }]
exclude:
  - { model: mlp, optimizer: { sgd: { lr: 0.05 } } }
  - { model: mlp, optimizer: { sgd: { lr: 0.05 } }, scheduler: none }
)";

std::string Plan(const std::string& text, const PlanOptions& options = {}) {
  const auto spec = Parse(text);
  EXPECT_THAT(spec, IsOk());
  return RenderPlan(*spec, Grid(*spec), Catalog::Builtin(), options);
}

TEST(RenderPlan, LooksLikeThis) {
  EXPECT_EQ("\n" + Plan(kBaseline, {.max_cells = 4}), R"(
sweep      emnist-baseline
data set   emnist-balanced
training   10 epochs, batches of 128, 10 % of the training images held out
objective  highest val_accuracy of the best epoch; ranked on the held-out
           images, reported on the test set
seeds      1, 2, 3

grid
  model               5  mlp, cnn, cnn(channels=[16, 32]),
                         cnn(channels=[16, 32], batch_norm=false),
                         cnn(batch_norm=false)
                         (1 duplicate folded)
  activation          3  relu, leaky_relu, elu
  optimizer           4  adam, rmsprop, sgd, sgd(lr=0.01)
  regularization      5  none, l1(1e-5), l2(0.0001), dropout(0.3),
                         l2(0.0001)+dropout(0.3)
  scheduler           3  none, step, plateau

exclude
  line 13               -45  {model: mlp, optimizer: {sgd: {lr: 0.05}}}
  line 14                 0  {model: mlp, optimizer: {sgd: {lr: 0.05}},
                             scheduler: none} (all removed by earlier rules)

total
  combinations             900
  excluded                  45
  cells                    855
  jobs                   2,565  every cell with 3 seeds
  epochs                25,650  every job with 10
  to train        at least 14,535, at most 20,520 epochs (jobs that differ only
                  in the scheduler share epochs until their learning rates part)

cells
       1  mlp  relu  adam  none      none
       2  mlp  relu  adam  none      step
       3  mlp  relu  adam  none      plateau
       4  mlp  relu  adam  l1(1e-5)  none
          and 851 more
)");
}

TEST(RenderPlan, SaysWhatSharingSaves) {
  const std::string exact =
      SweepText("scheduler: [none, { step: { step_size: 3 } }]", "training: { epochs: 4 }");
  EXPECT_THAT(Plan(exact), HasSubstr("to train        5 epochs (jobs that differ only in the scheduler"));
  EXPECT_THAT(Plan(exact, {.share = false}), HasSubstr("to train        8 epochs (every job alone)"));
  EXPECT_THAT(Plan(SweepText("model: [mlp, cnn]")), Not(HasSubstr("to train")))
      << "there is nothing to share";
  const SweepSpec spec = Parse(exact).value();
  const Json json = PlanToJson(spec, Grid(spec), Catalog::Builtin());
  EXPECT_EQ(json["epochs"], 8);
  EXPECT_EQ(json["epochs_to_train"], (Json{{"at_least", 5}, {"at_most", 5}}));
  EXPECT_EQ(PlanToJson(spec, Grid(spec), Catalog::Builtin(), {.share = false})["epochs_to_train"]["at_most"],
            8);
}

TEST(RenderPlan, FitsTheWidth) {
  std::istringstream lines(Plan(kBaseline, {.max_cells = 1'000, .width = 80}));
  for (std::string line; std::getline(lines, line);) EXPECT_LE(TextWidth(line), 80u) << line;
}

TEST(RenderPlan, SaysWhatTheSweepIsRankedOn) {
  EXPECT_THAT(Plan(SweepText("model: mlp", "training: { validation: 0 }")), HasSubstr("flatters the winner"));
  EXPECT_THAT(Plan(SweepText("model: mlp", "training: { validation: 0, samples: 500 }")),
              HasSubstr("nothing held out, trained on 500 images"));
  EXPECT_THAT(Plan(SweepText("model: mlp", "objective: { metric: train_loss, epoch: last }")),
              HasSubstr("lowest train_loss of the last epoch; ranked on the training images"));
}

TEST(RenderPlan, ASmallSweepHasNoEmptySections) {
  const std::string plan = Plan(SweepText("model: mlp"));
  EXPECT_THAT(plan, Not(HasSubstr("exclude")));
  EXPECT_THAT(plan, Not(HasSubstr("more")));
  EXPECT_THAT(Plan(SweepText("model: mlp"), {.max_cells = 0}), Not(HasSubstr("\ncells\n ")));
}

TEST(CellLister, SkipsExcludedCells) {
  const SweepSpec spec =
      Parse(SweepText("model: [mlp, cnn]\nactivation: [relu, elu]", "exclude: [{ model: mlp }]")).value();
  const Grid grid(spec);
  CellLister lister(spec, grid, Catalog::Builtin());
  const auto first = lister.Next();
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->index, 2);
  EXPECT_THAT(first->labels, ElementsAre("cnn", "relu", "adam", "none", "none"));
  EXPECT_EQ(lister.Next()->index, 3);
  EXPECT_FALSE(lister.Next().has_value());
  EXPECT_FALSE(lister.Next().has_value());
}

TEST(PlanToJson, HasTheNumbersOfTheText) {
  const SweepSpec spec = Parse(kBaseline).value();
  const Json json = PlanToJson(spec, Grid(spec), Catalog::Builtin(), {.max_cells = 2});
  EXPECT_EQ(json["combinations"], 900);
  EXPECT_EQ(json["excluded"], 45);
  EXPECT_EQ(json["cells"], 855);
  EXPECT_EQ(json["jobs"], 855 * 3);
  EXPECT_EQ(json["epochs"], 855 * 30);
  EXPECT_EQ(json["first_cells"].size(), 2u);
  EXPECT_EQ(json["exclude"][1]["removed"], 0);
  EXPECT_EQ(json["axes"][0]["duplicates"], 1);
  EXPECT_EQ(json["content_hash"], SweepContentHash(spec));
}

std::string HashOf(const std::string& text) {
  return SweepContentHash(Parse(text).value());
}

TEST(SweepContentHash, IsTheSameForTwoSpellings) {
  const std::string spelled = SweepText(
      "optimizer:\n  - adam: { lr: 1.0e-3 }\n  - { sgd: { momentum: 0.9, lr: 0.05 } }\nregularization: [{ "
      "dropout: 0.3, l2: "
      "}]\nmodel: [mlp, cnn]",
      "seeds: [1, 2]\ntraining: { epochs: 10 }\nobjective: { metric: val_accuracy, goal: max }\nexclude: [{ "
      "optimizer: { "
      "sgd: { lr: 0.05 } }, model: [mlp] }]");
  const std::string bare = SweepText(
      "model: [mlp, cnn]\nregularization: { l2: 1.0e-4, dropout: { p: 0.3 } }\noptimizer: [adam, sgd, sgd]",
      "seeds: 2\nexclude:\n  - { model: mlp, optimizer: sgd }\n");
  EXPECT_EQ(HashOf(spelled), HashOf(bare));
  EXPECT_EQ(HashOf(bare).size(), 64u);
}

TEST(SweepContentHash, DiffersWhenAnythingDoes) {
  const std::string base = HashOf(SweepText("model: [mlp, cnn]"));
  std::set<std::string> hashes = {base};
  for (const char* rest : {"seeds: 2", "training: { epochs: 3 }", "objective: test_loss",
                           "exclude: [{ model: mlp }]", "exclude: [{ model: cnn }]"}) {
    EXPECT_TRUE(hashes.insert(HashOf(SweepText("model: [mlp, cnn]", rest))).second) << rest;
  }
  EXPECT_TRUE(hashes.insert(HashOf(SweepText("model: [cnn, mlp]"))).second);
}

TEST(SweepFileExample, IsAValidLineForEveryComponent) {
  for (const ComponentSpec& component : Catalog::Builtin().components()) {
    EXPECT_THAT(Parse(SweepText(SweepFileExample(component))), IsOk()) << SweepFileExample(component);
  }
}

}  // namespace
}  // namespace gridsweep
