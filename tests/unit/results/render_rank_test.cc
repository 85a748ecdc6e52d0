#include "common/results/render_rank.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "common/results/text_width.h"

namespace gridsweep {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

JobResult Result(int64_t job, int64_t seed, double objective) {
  JobResult result;
  result.job = job;
  result.seed = seed;
  result.state = JobState::kSucceeded;
  result.objective = objective;
  result.objective_epoch = 9 + seed % 2;
  result.test_accuracy = objective - 0.0123;
  result.test_loss = 1.3 - objective;
  result.train_loss = 1.1 - objective;
  result.seconds = 41.25;
  return result;
}

JobResult Ended(int64_t job, JobState state, const std::string& error = "") {
  JobResult result;
  result.job = job;
  result.state = state;
  result.error = error;
  return result;
}

RankedTable Study() {
  const std::vector<CellResults> cells = {
      {1, 0, {"mlp", "relu", "adam", "none"}, {Result(1, 1, 0.78), Result(2, 2, 0.79)}},
      {2,
       1,
       {"cnn", "relu", "adam", "step(step_size=3, gamma=0.5)"},
       {Result(3, 1, 0.845), Result(4, 2, 0.8547)}},
      {3,
       2,
       {"cnn", "tanh", "sgd(lr=0.05, momentum=0.9)", "none"},
       {Result(5, 1, 0.80), Ended(6, JobState::kDiverged)}},
      {4,
       3,
       {"cnn", "relu", "sgd(lr=0.5, momentum=0.9)", "none"},
       {Ended(7, JobState::kDiverged), Ended(8, JobState::kDiverged)}},
      {5,
       4,
       {"mlp", "tanh", "rmsprop", "none"},
       {Ended(9, JobState::kFailed, "trainer killed by SIGSEGV"), Ended(10, JobState::kFailed, "x")}}};
  RankedTable table;
  table.sweep = 3;
  table.sweep_name = "emnist-baseline";
  table.sweep_state = "finished";
  table.dataset = "emnist-balanced";
  table.metric = "val_accuracy";
  table.goal = "max";
  table.epoch = "best";
  table.validation = 0.1;
  table.seeds = 2;
  table.epochs = 10;
  table.cells = 5;
  table.axes = {"model", "activation", "optimizer", "scheduler"};
  table.constants = {"regularization = none"};
  table.rows = RankCells(cells, {Goal::kMax});
  for (const RankedRow& row : table.rows) {
    table.jobs.succeeded += row.jobs.succeeded;
    table.jobs.diverged += row.jobs.diverged;
    table.jobs.failed += row.jobs.failed;
  }
  table.all_labels = {"mlp",
                      "cnn",
                      "relu",
                      "tanh",
                      "adam",
                      "sgd(lr=0.05, momentum=0.9)",
                      "sgd(lr=0.5, momentum=0.9)",
                      "rmsprop",
                      "none",
                      "step(step_size=3, gamma=0.5)"};
  table.total_rows = 5;
  table.ranked_cells = 3;
  table.tied_cells = 1;
  table.compared_cells = 1;
  return table;
}

std::string Rank(const RankedTable& table, int width, bool no_times = false) {
  return RenderRank(table, OutputFormat::kTable, {.width = width}, {.no_times = no_times});
}

// clang-format off
TEST(RenderRank, At140Columns) {
  EXPECT_EQ(Rank(Study(), 140), R"(emnist-baseline (sweep 3): emnist-balanced, 5 cells, 2 seeds each, 10 epochs, 10 jobs, 5 succeeded, 3 diverged, 2 failed
ranked by val_accuracy (highest, best epoch); 10 % of the training set held out for validation
±: 95 % confidence interval over seeds (Student's t); the best differs from the one cell it was compared with (paired t test over seeds,
    Holm, p < 0.05)
constant: regularization = none
everywhere: sgd: momentum=0.9; step: step_size=3, gamma=0.5
left out: p, train loss; a wider terminal or --format csv shows them

rank  model  activation  optimizer     scheduler  n       val acc  P(best)     behind best  test acc  test loss  epoch  s/job  job
────  ─────  ──────────  ────────────  ─────────  ─  ────────────  ───────  ──────────────  ────────  ─────────  ─────  ─────  ───
   1  cnn    relu        adam          step       2  85.0 ± 6.2 %    100 %                    83.8 %      0.450    9.5   41.3   3…
   2  cnn    tanh        sgd(lr=0.05)  none       1        80.0 %      0 %         4.50 pp    78.8 %      0.500     10   41.3   6…
   3  mlp    relu        adam          none       2  78.5 ± 6.4 %      0 %  6.48 ± 0.19 pp    77.3 %      0.515    9.5   41.3   1…
   –  cnn    relu        sgd(lr=0.5)   none       0             –                                                               7…
   –  mlp    tanh        rmsprop       none       0             –                                                               9…

notes
  cnn tanh sgd(lr=0.05) none: 1 of 2 diverged
  cnn relu sgd(lr=0.5) none: 2 of 2 diverged
  mlp tanh rmsprop none: 2 of 2 failed: trainer killed by SIGSEGV
)");
}

TEST(RenderRank, At80Columns) {
  EXPECT_EQ(Rank(Study(), 80), R"(emnist-baseline (sweep 3): emnist-balanced, 5 cells, 2 seeds each, 10 epochs, 10
    jobs, 5 succeeded, 3 diverged, 2 failed
ranked by val_accuracy (highest, best epoch); 10 % of the training set held out
    for validation
±: 95 % confidence interval over seeds (Student's t); the best differs from the
    one cell it was compared with (paired t test over seeds, Holm, p < 0.05)
constant: regularization = none
everywhere: sgd: momentum=0.9; step: step_size=3, gamma=0.5
left out: n, P(best), behind best, p, test loss, train loss, epoch, s/job; a
    wider terminal or --format csv shows them

rank  model  activation  optimizer     scheduler       val acc  test acc  job
────  ─────  ──────────  ────────────  ─────────  ────────────  ────────  ───
   1  cnn    relu        adam          step       85.0 ± 6.2 %    83.8 %   3…
   2  cnn    tanh        sgd(lr=0.05)  none             80.0 %    78.8 %   6…
   3  mlp    relu        adam          none       78.5 ± 6.4 %    77.3 %   1…
   –  cnn    relu        sgd(lr=0.5)   none                  –             7…
   –  mlp    tanh        rmsprop       none                  –             9…

notes
  cnn tanh sgd(lr=0.05) none: 1 of 2 diverged
  cnn relu sgd(lr=0.5) none: 2 of 2 diverged
  mlp tanh rmsprop none: 2 of 2 failed: trainer killed by SIGSEGV
)");
}
// clang-format on

TEST(RenderRank, FitsTheTerminalAndHasNoTrailingSpaces) {
  for (int width = 72; width < 220; ++width) {
    std::istringstream lines(Rank(Study(), width));
    for (std::string line; std::getline(lines, line);) {
      EXPECT_LE(DisplayWidth(line), width) << line;
      EXPECT_FALSE(line.ends_with(' ')) << "'" << line << "'";
    }
  }
}

TEST(RenderRank, FailedAndDivergedCellsAreShownWithTheirNote) {
  const std::string text = Rank(Study(), 0);
  EXPECT_THAT(text, HasSubstr("1 of 2 diverged"));
  EXPECT_THAT(text, HasSubstr("2 of 2 diverged"));
  EXPECT_THAT(text, HasSubstr("2 of 2 failed: trainer killed by SIGSEGV"));
}

TEST(RenderRank, SaysWhenItRanksOnTestAndDoesNotRepeatTheColumn) {
  RankedTable table = Study();
  table.ranked_on_test = true;
  table.validation = 0;
  table.metric = "test_accuracy";
  const std::string text = Rank(table, 0);
  EXPECT_THAT(text, HasSubstr("ranked on test: nothing was held out"));
  EXPECT_EQ(text.find("test acc"), text.rfind("test acc"));
}

TEST(RenderRank, SaysWhenItRanksOnTheTrainingImages) {
  RankedTable table = Study();
  table.metric = "train_loss";
  EXPECT_THAT(Rank(table, 0),
              HasSubstr("ranked on the training images, though 10 % were held out for validation"));
  table.validation = 0;
  const std::string text = Rank(table, 0);
  EXPECT_THAT(text, HasSubstr("ranked on the training images: nothing was held out\n"));
  EXPECT_THAT(text, Not(HasSubstr("on test")));
}

// Labels stay whole, and the test set's figures in sight, as long as less important columns can go instead.
TEST(RenderRank, LeavesOutTheLeastImportantColumnsAndSaysWhich) {
  RankedTable table = Study();
  const auto left_out = [&](int width) {
    const std::string text = Rank(table, width);
    const size_t begin = text.find("left out: ");
    return begin == std::string::npos ? "" : text.substr(begin + 10, text.find(';', begin) - begin - 10);
  };
  EXPECT_EQ(left_out(0), "");
  EXPECT_EQ(left_out(155), "");
  EXPECT_EQ(left_out(147), "p");
  EXPECT_EQ(left_out(138), "p, train loss");
  EXPECT_EQ(left_out(129), "p, train loss, epoch");
  EXPECT_EQ(left_out(122), "p, train loss, epoch, s/job");
  for (int width = 72; width <= 140; ++width) {
    EXPECT_THAT(Rank(table, width), HasSubstr("sgd(lr=0.05)")) << width;
    EXPECT_THAT(Rank(table, width), HasSubstr("test acc")) << width;
  }
  EXPECT_THAT(Rank(table, 147), HasSubstr("; a wider terminal or --format csv shows it\n"));
}

TEST(RenderRank, WithTopTheLegendIsOfTheWholeSweep) {
  RankedTable table = Study();
  table.rows.resize(1);
  table.axes = {"model", "optimizer"};
  table.rows[0].labels = {"cnn", "sgd(lr=0.05, momentum=0.9)"};
  const std::string text = Rank(table, 72);
  EXPECT_THAT(text, HasSubstr("\neverywhere: sgd: momentum=0.9; step: step_size=3, gamma=0.5\n"));
  EXPECT_THAT(text, HasSubstr("  sgd(lr=0.05)  ")) << "other rows have another rate";
}

TEST(RenderRank, WithoutTimesNothingOfARunIsLeft) {
  RankedTable other = Study();
  other.sweep = 99;
  for (RankedRow& row : other.rows) {
    row.seconds = 7;
    row.cell += 1000;
    for (int64_t& job : row.job_ids) job += 1000;
  }
  for (const OutputFormat format : kAllOutputFormats) {
    EXPECT_EQ(RenderRank(Study(), format, {}, {.no_times = true}),
              RenderRank(other, format, {}, {.no_times = true}))
        << OutputFormatName(format);
    EXPECT_NE(RenderRank(Study(), format, {}, {}), RenderRank(other, format, {}, {}))
        << OutputFormatName(format);
  }
}

TEST(RenderRank, SaysThatEpochsWereShared) {
  RankedTable table = Study();
  EXPECT_THAT(Rank(table, 140), Not(HasSubstr("in common")));
  table.shares_epochs = true;
  EXPECT_THAT(Rank(table, 140), HasSubstr("s/job: epochs that jobs have in common were trained once"));
  EXPECT_EQ(Rank(table, 140, /*no_times=*/true), Rank(Study(), 140, true)) << "how it was run is left out";
}

TEST(RenderRank, CsvHasEveryColumnInFullPrecision) {
  std::istringstream lines(RenderRank(Study(), OutputFormat::kCsv, {.width = 40}, {}));
  std::string header, first;
  std::getline(lines, header);
  std::getline(lines, first);
  EXPECT_EQ(
      header,
      "rank,model,activation,optimizer,scheduler,n,mean,ci95,sd,interval,tied,best_probability,difference,difference_ci95,p,"
      "test_accuracy,test_loss,train_loss,best_epoch,seconds,shared_epochs,job_ids,note\r");
  EXPECT_THAT(first, HasSubstr("1,cnn,relu,adam,\"step(step_size=3, gamma=0.5)\",2,0.849"));
}

TEST(RenderRank, JsonHasTypedRowsAndTheirConditions) {
  const absl::StatusOr<Json> json = ParseJson(RenderRank(Study(), OutputFormat::kJson, {}, {}));
  ASSERT_TRUE(json.ok());
  EXPECT_EQ((*json)["sweep"]["dataset"], "emnist-balanced");
  EXPECT_EQ((*json)["rows"].size(), 5u);
  EXPECT_EQ((*json)["rows"][0]["rank"], 1);
  EXPECT_TRUE((*json)["rows"][4]["mean"].is_null());
  EXPECT_EQ((*json)["rows"][0]["job_ids"], Json({3, 4}));
}

TEST(RenderRank, TellsOfRowsThatTopLeftOut) {
  RankedTable table = Study();
  table.rows.resize(2);
  EXPECT_THAT(Rank(table, 0), HasSubstr("… 3 more"));
}

TEST(RenderRank, LevelsShowTheirBestCell) {
  RankedTable table = Study();
  table.by_level = true;
  table.axes = {"model"};
  for (RankedRow& row : table.rows) row.labels = {row.labels[0]};
  table.rows.resize(1);
  table.rows[0].cells = 3;
  table.rows[0].best_label = "relu adam step";
  const std::string text = Rank(table, 0);
  table.rows[0].best_label = "relu sgd(lr=0.05, momentum=0.9) step(step_size=3, gamma=0.5)";
  EXPECT_THAT(Rank(table, 90), HasSubstr("  relu sgd(lr=0.05) step  "))
      << "shortened like the labels of axes";
  EXPECT_THAT(text, HasSubstr("each model is shown by its best cell"));
  EXPECT_THAT(text, HasSubstr("relu adam step"));
}

}  // namespace
}  // namespace gridsweep
