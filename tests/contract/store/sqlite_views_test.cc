// The views against the readers: two ways to the same numbers.
#include <cmath>
#include <limits>
#include <random>

#include "tests/contract/store/store_fixture.h"

namespace gridsweep {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

class SqliteViewsTest : public SqliteFileTest {
 protected:
  SqliteViewsTest() { Open(); }
  std::vector<std::vector<SqlValue>> Rows(const std::string& sql) {
    absl::StatusOr<QueryResult> result = s_->reader().Query(sql, {});
    EXPECT_THAT(result, IsOk());
    return result.ok() ? std::move(result->rows) : std::vector<std::vector<SqlValue>>{};
  }
};

SqlValue Value(const std::optional<double>& value) {
  return value.has_value() ? SqlValue(*value) : SqlValue(std::monostate{});
}
SqlValue Text(const char* text) {
  return SqlValue(std::string(text));
}
SqlValue Int(int64_t value) {
  return SqlValue(value);
}

TEST_F(SqliteViewsTest, JobsShowLabelsParametersAndTheObjectivesEpoch) {
  s_->Submit();
  s_->Succeed(s_->ClaimOne(), {0.5, 0.8, 0.7});
  EXPECT_THAT(
      Rows("SELECT sweep, job, state, model, optimizer, lr, batch_size, seed, dataset, attempts, objective, "
           "objective_epoch, val_accuracy, test_accuracy, epochs, seconds, worker, device, finished_us, "
           "model_params ->> '$.batch_norm' FROM v_jobs WHERE job = 1"),
      ElementsAre(ElementsAre(Int(1), Int(1), Text("succeeded"), Text("mlp"), Text("adam"), SqlValue(0.001),
                              Int(32), Int(1), Text("toy"), Int(1), SqlValue(0.8), Int(2), SqlValue(0.8),
                              SqlValue(0.8 - 0.01), Int(3), SqlValue(4.5), Text("w1"), Text("cpu"),
                              Int(absl::ToUnixMicros(At(20))), Int(1))));
  EXPECT_THAT(Rows("SELECT job FROM v_jobs"), SizeIs(8));
}

TEST_F(SqliteViewsTest, EpochsAreThoseOfTheAcceptedElseTheRunningAttempt) {
  s_->Submit();
  const OpenAttempt lost = s_->ClaimOne();
  ASSERT_THAT(s_->TryEpoch(lost, 1, MakeEpoch(1, 0.1)), IsOk());
  s_->Lose(lost);
  EXPECT_THAT(Rows("SELECT * FROM v_epochs"), SizeIs(0));
  const OpenAttempt running = s_->ClaimOne(At(30));
  EpochMetrics odd = MakeEpoch(1, 0.2);
  odd.train_loss = std::numeric_limits<double>::quiet_NaN();
  odd.test_loss = -std::numeric_limits<double>::infinity();
  ASSERT_THAT(s_->TryEpoch(running, 1, odd), IsOk());
  EXPECT_THAT(Rows("SELECT job, epoch, val_accuracy, train_loss, nonfinite, state FROM v_epochs"),
              ElementsAre(ElementsAre(Int(1), Int(1), SqlValue(0.2), SqlValue(std::monostate{}),
                                      Text("train_loss=nan test_loss=-inf"), Text("running"))));
}

TEST_F(SqliteViewsTest, SweepsWorkersAndAttempts) {
  s_->Submit();
  const std::vector<ClaimedJob> jobs = s_->Claim(3);
  s_->Succeed(jobs[0].attempt, {0.5});
  s_->Fail(jobs[1].attempt, "boom");
  EXPECT_THAT(
      Rows("SELECT name, state, jobs, pending, running, succeeded, failed, objective, goal FROM v_sweeps"),
      ElementsAre(ElementsAre(Text("small"), Text("active"), Int(8), Int(5), Int(1), Int(1), Int(1),
                              Text("val_accuracy"), Text("max"))));
  EXPECT_THAT(Rows("SELECT name, running, jobs_done, failures, losses FROM v_workers"),
              ElementsAre(ElementsAre(Text("w1"), Int(1), Int(1), Int(1), Int(0))));
  EXPECT_THAT(
      Rows("SELECT job, number, state, accepted, worker, error, stderr_tail FROM v_attempts ORDER BY job"),
      ElementsAre(
          ElementsAre(Int(1), Int(1), Text("succeeded"), Int(1), Text("w1"), Text(""), Text("")),
          ElementsAre(Int(2), Int(1), Text("failed"), Int(0), Text("w1"), Text("boom"), Text("last words")),
          ElementsAre(Int(3), Int(1), Text("open"), Int(0), Text("w1"), Text(""), Text(""))));
}

TEST_F(SqliteViewsTest, ConfusionAndPredictionsHaveClassNames) {
  s_->Submit();
  s_->Succeed(s_->ClaimOne(), {0.5});
  EXPECT_THAT(
      Rows("SELECT actual, actual_name, predicted, predicted_name, count FROM v_confusion WHERE job = 1"),
      ElementsAre(ElementsAre(Int(0), Text("cat"), Int(0), Text("cat"), Int(4)),
                  ElementsAre(Int(0), Text("cat"), Int(1), Text("dog"), Int(1)),
                  ElementsAre(Int(1), Text("dog"), Int(1), Text("dog"), Int(5))));
  EXPECT_THAT(
      Rows("SELECT image, actual_name, predicted_name, correct, confidence FROM v_predictions WHERE job = 1"),
      ElementsAre(ElementsAre(Int(3), Text("cat"), Text("dog"), Int(0), SqlValue(0.75)),
                  ElementsAre(Int(7), Text("dog"), Text("dog"), Int(1), SqlValue(0.5))));
}

// A sweep of 24 cells × 3 seeds whose jobs end in random ways; few distinct accuracies, so that means tie, also through
// different summands.
class RankingViewTest : public SqliteViewsTest,
                        public testing::WithParamInterface<std::tuple<int, const char*>> {
 protected:
  std::string Yaml() const {
    return fmt::format(R"(name: random
dataset: toy
training: {{ epochs: 3, batch_size: 32, validation: 0.1 }}
objective: {}
seeds: [3, 1, 2]
grid:
  model: [mlp, cnn]
  activation: [relu, tanh]
  optimizer: [adam, sgd]
  scheduler: [none, step, cosine]
)",
                       std::get<1>(GetParam()));
  }

  void EndSomehow(const OpenAttempt& attempt, std::mt19937& random) {
    const double value = 0.1 * static_cast<double>(random() % 4) + 0.1;
    switch (random() % 8) {
      case 0:
        return s_->Fail(attempt, "boom");
      case 1:
        return s_->Diverge(attempt);
      case 2:
        return s_->Fail(attempt, "later", JobState::kPending);
      case 3:
        return;  // goes on running
      case 4: {
        // Succeeds without a finite objective.
        return s_->Succeed(attempt, {std::numeric_limits<double>::quiet_NaN()});
      }
      default:
        return s_->Succeed(attempt, {value, 0.3});
    }
  }
};

TEST_P(RankingViewTest, AgreesWithRankCellsToTheLastBit) {
  std::mt19937 random(static_cast<unsigned>(std::get<0>(GetParam())));
  const SweepId id = s_->Submit(Yaml());
  s_->Submit(kSmallSweep, "another sweep beside it");
  std::vector<ClaimedJob> jobs = s_->Claim(72);
  std::shuffle(jobs.begin(), jobs.end(), random);
  ASSERT_THAT(s_->store().BeginBatch(), IsOk());
  for (const ClaimedJob& job : jobs) EndSomehow(job.attempt, random);
  ASSERT_THAT(s_->store().CommitBatch(), IsOk());

  ASSERT_OK_AND_ASSIGN(const std::vector<CellResults> cells, s_->reader().ListResults(id));
  const Measure measure = {s_->Sweep(id).objective.goal};
  const std::vector<RankedRow> expected = RankCells(cells, measure);
  SweepAnalysis analysis;
  analysis.standings = CompareWithLeader(ObjectivesOf(cells), measure);
  ASSERT_THAT(s_->store().StoreAnalysis(id, analysis, absl::UnixEpoch()), IsOk());
  const auto rows = Rows(
      "SELECT position, cell, rank, n, mean, sd, ci95, test_accuracy, test_loss, train_loss, best_epoch, "
      "seconds, "
      "pending, running, succeeded, diverged, failed, cancelled FROM v_ranking WHERE sweep = 1 ORDER BY "
      "position");
  ASSERT_EQ(rows.size(), expected.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    const RankedRow& row = expected[i];
    EXPECT_THAT(rows[i], ElementsAre(Int(static_cast<int64_t>(i) + 1), Int(row.cell),
                                     row.rank == 0 ? SqlValue(std::monostate{}) : Int(row.rank), Int(row.n),
                                     Value(row.mean), Value(row.sd), Value(row.ci), Value(row.test_accuracy),
                                     Value(row.test_loss), Value(row.train_loss), Value(row.best_epoch),
                                     Value(row.seconds), Int(row.jobs.pending), Int(row.jobs.running),
                                     Int(row.jobs.succeeded), Int(row.jobs.diverged), Int(row.jobs.failed),
                                     Int(row.jobs.cancelled)))
        << "position " << i + 1;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Random, RankingViewTest,
    testing::Combine(testing::Range(0, 6),
                     testing::Values("val_accuracy", "val_loss",
                                     "{ metric: val_accuracy, goal: max, epoch: last }")));

}  // namespace
}  // namespace gridsweep
