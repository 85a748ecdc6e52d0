#include "tests/contract/store/store_fixture.h"

namespace gridsweep {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

using StoreReaderTest = StoreContractTest;

TEST_P(StoreReaderTest, FindsSweepsByIdAndNewestByName) {
  const SweepId first = s_->Submit(kSmallSweep, "a");
  const SweepId second = s_->Submit(kSmallSweep, "b");
  EXPECT_EQ(s_->reader().FindSweep("1").value(), first);
  EXPECT_EQ(s_->reader().FindSweep("small").value(), second);
  EXPECT_THAT(s_->reader().FindSweep("smal"), StatusIs(absl::StatusCode::kNotFound, HasSubstr("'small'")));
  EXPECT_THAT(s_->reader().FindSweep("3"), StatusIs(absl::StatusCode::kNotFound, HasSubstr("'3'")));
  EXPECT_THAT(s_->reader().FindSweep("99999999999999999999999"),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("9999")));
}

TEST_P(StoreReaderTest, FindInEmptyStoreSaysSo) {
  EXPECT_THAT(s_->reader().FindSweep("x"), StatusIs(absl::StatusCode::kNotFound, HasSubstr("no sweeps yet")));
}

TEST_P(StoreReaderTest, ListsSweepsNewestFirst) {
  const SweepId first = s_->Submit(kSmallSweep, "a");
  const SweepId second = s_->Submit(kSmallSweep, "b");
  ASSERT_OK_AND_ASSIGN(const std::vector<SweepRecord> sweeps, s_->reader().ListSweeps());
  ASSERT_THAT(sweeps, SizeIs(2));
  EXPECT_EQ(sweeps[0].id, second);
  EXPECT_EQ(sweeps[1].id, first);
}

TEST_P(StoreReaderTest, UnknownIdsAreNotFound) {
  const auto not_found = StatusIs(absl::StatusCode::kNotFound, HasSubstr("77"));
  EXPECT_THAT(s_->reader().GetSweep(SweepId{77}), not_found);
  EXPECT_THAT(s_->reader().GetEpochProgress(SweepId{77}), not_found);
  EXPECT_THAT(s_->reader().CountEpochsSince(SweepId{77}, At(0)), not_found);
  EXPECT_THAT(s_->reader().ListRunning(SweepId{77}, 1), not_found);
  EXPECT_THAT(s_->reader().BestJob(SweepId{77}), not_found);
  EXPECT_THAT(s_->reader().RecentFailures(SweepId{77}, 1), not_found);
  EXPECT_THAT(s_->reader().ListResults(SweepId{77}), not_found);
  EXPECT_THAT(s_->reader().ListJobs(SweepId{77}, std::nullopt, 1), not_found);
  EXPECT_THAT(s_->reader().GetJob(JobId{77}), not_found);
}

TEST_P(StoreReaderTest, ProgressCountsEpochsDoneAndToDo) {
  const SweepId id = s_->Submit();
  EXPECT_EQ(s_->reader().GetEpochProgress(id)->total, 24);
  s_->Succeed(s_->ClaimOne(), {0.1, 0.2, 0.3});
  const OpenAttempt running = s_->ClaimOne();
  ASSERT_THAT(s_->TryEpoch(running, 1, MakeEpoch(1, 0.5)), IsOk());
  ASSERT_OK_AND_ASSIGN(EpochProgress progress, s_->reader().GetEpochProgress(id));
  EXPECT_EQ(progress.done, 4);
  EXPECT_EQ(progress.total, 24);
  s_->Fail(running, "boom");
  ASSERT_OK_AND_ASSIGN(progress, s_->reader().GetEpochProgress(id));
  EXPECT_EQ(progress.done, 3);
  EXPECT_EQ(progress.total, 21);
  const OpenAttempt diverging = s_->ClaimOne(At(30));
  ASSERT_THAT(s_->TryEpoch(diverging, 1, MakeEpoch(1, 0.5)), IsOk());
  s_->Diverge(diverging);
  ASSERT_OK_AND_ASSIGN(progress, s_->reader().GetEpochProgress(id));
  EXPECT_EQ(progress.done, 4);
  EXPECT_EQ(progress.total, 19) << "the epochs a diverged job did not run are not left to do";
}

TEST_P(StoreReaderTest, CountsEpochsSinceAMoment) {
  const SweepId id = s_->Submit();
  const OpenAttempt attempt = s_->ClaimOne();
  ASSERT_THAT(s_->TryEpoch(attempt, 1, MakeEpoch(1, 0.5)), IsOk());
  clock_.Advance(absl::Seconds(60));
  const absl::Time since = clock_.Now().wall;
  ASSERT_THAT(s_->TryEpoch(attempt, 2, MakeEpoch(2, 0.5)), IsOk());
  ASSERT_THAT(s_->TryEpoch(attempt, 3, MakeEpoch(3, 0.5)), IsOk());
  EXPECT_EQ(s_->reader().CountEpochsSince(id, since).value(), 2);
  s_->Fail(attempt, "boom", JobState::kPending, since + absl::Seconds(1));
  EXPECT_EQ(s_->reader().CountEpochsSince(id, since).value(), 2);
  EXPECT_EQ(s_->reader().CountEpochsSince(id, since + absl::Seconds(10)).value(), 0);
}

TEST_P(StoreReaderTest, ListsRunningJobsWithTheirCurves) {
  const SweepId id = s_->Submit();
  const OpenAttempt attempt = s_->ClaimOne();
  ASSERT_THAT(s_->TryStart(attempt), IsOk());
  ASSERT_THAT(s_->TryEpoch(attempt, 2, MakeEpoch(1, 0.5)), IsOk());
  ASSERT_OK_AND_ASSIGN(const std::vector<RunningJobRecord> none, s_->reader().ListRunning(id, 0));
  EXPECT_THAT(none, IsEmpty());
  ASSERT_OK_AND_ASSIGN(const std::vector<RunningJobRecord> running, s_->reader().ListRunning(id, 100));
  ASSERT_THAT(running, SizeIs(1));
  EXPECT_EQ(running[0].job, attempt.job);
  EXPECT_EQ(running[0].worker, "w1");
  EXPECT_EQ(running[0].device, "cpu");
  EXPECT_EQ(running[0].seed, 1);
  EXPECT_EQ(running[0].attempt_number, 1);
  EXPECT_THAT(running[0].labels, ElementsAre("mlp", "relu", "adam", "none", "none"));
  EXPECT_THAT(running[0].epochs, ElementsAre(MakeEpoch(1, 0.5)));
}

TEST_P(StoreReaderTest, BestJobFollowsTheGoalAndIgnoresDiverged) {
  const SweepId id = s_->Submit();
  EXPECT_EQ(s_->reader().BestJob(id)->has_value(), false);
  s_->Succeed(s_->ClaimOne(), {0.5});
  const OpenAttempt best = s_->ClaimOne();
  s_->Succeed(best, {0.7});
  s_->Succeed(s_->ClaimOne(), {0.7});
  const OpenAttempt diverging = s_->ClaimOne();
  ASSERT_THAT(s_->TryEpoch(diverging, 1, MakeEpoch(1, 0.9)), IsOk());
  s_->Diverge(diverging);
  ASSERT_OK_AND_ASSIGN(const std::optional<JobRecord> found, s_->reader().BestJob(id));
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->id, best.job) << "the first among equals";
}

TEST_P(StoreReaderTest, BestJobOfALossIsTheSmallest) {
  std::string yaml = kSmallSweep;
  yaml.replace(yaml.find("objective: val_accuracy"), 23, "objective: val_loss");
  const SweepId id = s_->Submit(yaml);
  s_->Succeed(s_->ClaimOne(), {0.5});
  s_->Succeed(s_->ClaimOne(), {0.9});
  ASSERT_OK_AND_ASSIGN(const std::optional<JobRecord> best, s_->reader().BestJob(id));
  EXPECT_EQ(best->objective, 1 - 0.9);
}

TEST_P(StoreReaderTest, RecentFailuresNewestFirst) {
  const SweepId id = s_->Submit();
  const std::vector<ClaimedJob> jobs = s_->Claim(3);
  s_->Fail(jobs[0].attempt, "first", JobState::kFailed, At(20));
  s_->Lose(jobs[1].attempt, At(21));
  s_->Fail(jobs[2].attempt, "third", JobState::kPending, At(22));
  EXPECT_THAT(s_->reader().RecentFailures(id, 2).value(),
              ElementsAre("job 3: third", "job 2: lease expired"));
}

TEST_P(StoreReaderTest, ResultsCarryTheMetricsOfTheObjectivesEpoch) {
  const SweepId id = s_->Submit();
  const std::vector<ClaimedJob> jobs = s_->Claim(3);
  s_->Succeed(jobs[0].attempt, {0.5, 0.8, 0.7});
  s_->Fail(jobs[1].attempt, "boom");
  ASSERT_OK_AND_ASSIGN(const std::vector<CellResults> cells, s_->reader().ListResults(id));
  ASSERT_THAT(cells, SizeIs(4));
  EXPECT_THAT(cells[3].labels, ElementsAre("cnn", "relu", "sgd", "none", "none"));
  ASSERT_THAT(cells[0].jobs, SizeIs(2));
  const JobResult& done = cells[0].jobs[0];
  EXPECT_EQ(done.state, JobState::kSucceeded);
  EXPECT_EQ(done.objective, 0.8);
  EXPECT_EQ(done.objective_epoch, 2);
  EXPECT_EQ(done.test_accuracy, 0.8 - 0.01);
  EXPECT_EQ(done.test_loss, 1.1 - 0.8);
  EXPECT_EQ(done.train_loss, 1.0);
  EXPECT_EQ(done.seconds, 4.5);
  EXPECT_EQ(done.error, "");
  EXPECT_EQ(cells[0].jobs[1].state, JobState::kFailed);
  EXPECT_EQ(cells[0].jobs[1].error, "boom");
  EXPECT_EQ(cells[0].jobs[1].objective, std::nullopt);
  EXPECT_EQ(cells[1].jobs[0].state, JobState::kRunning);
}

TEST_P(StoreReaderTest, TheBestResultsAreThoseThatRankFirst) {
  const SweepId id = s_->Submit();
  const std::vector<ClaimedJob> jobs = s_->Claim(8);
  s_->Succeed(jobs[0].attempt, {0.5});
  s_->Succeed(jobs[2].attempt, {0.9});
  s_->Succeed(jobs[4].attempt, {0.9});  // equal, but with two seeds
  s_->Succeed(jobs[5].attempt, {0.9});
  s_->Fail(jobs[6].attempt, "boom");
  for (const Goal goal : {Goal::kMax, Goal::kMin}) {
    for (int64_t limit = 1; limit <= 3; ++limit) {
      const std::vector<RankedRow> all = RankCells(s_->reader().ListResults(id).value(), {goal});
      const std::vector<Standing> standings =
          CompareWithLeader(s_->reader().ListObjectives(id).value(), {goal});
      const std::vector<RankedRow> best =
          RankFirstCells(s_->reader().BestResults(id, goal, limit).value(), standings, {goal});
      ASSERT_THAT(best, SizeIs(limit));
      for (size_t i = 0; i < best.size(); ++i) {
        EXPECT_EQ(best[i].cell, all[i].cell);
        EXPECT_EQ(best[i].rank, all[i].rank);
        EXPECT_EQ(best[i].mean, all[i].mean);
        EXPECT_EQ(best[i].tied, all[i].tied);
        EXPECT_EQ(best[i].best_probability, all[i].best_probability);
        EXPECT_EQ(best[i].job_ids, all[i].job_ids);
      }
    }
  }
  EXPECT_THAT(s_->reader().BestResults(id, Goal::kMax, 4).value(), SizeIs(3)) << "only three have a mean";
}

TEST_P(StoreReaderTest, ListsJobsByStateInGridOrder) {
  const SweepId id = s_->Submit();
  const std::vector<ClaimedJob> jobs = s_->Claim(2);
  s_->Fail(jobs[1].attempt, "boom");
  ASSERT_OK_AND_ASSIGN(const std::vector<JobRecord> all, s_->reader().ListJobs(id, std::nullopt, 100));
  EXPECT_THAT(all, SizeIs(8));
  ASSERT_OK_AND_ASSIGN(const std::vector<JobRecord> limited, s_->reader().ListJobs(id, std::nullopt, 3));
  EXPECT_THAT(limited, SizeIs(3));
  ASSERT_OK_AND_ASSIGN(const std::vector<JobRecord> failed,
                       s_->reader().ListJobs(id, JobState::kFailed, 100));
  ASSERT_THAT(failed, SizeIs(1));
  const SweepSpec spec = ParseOrDie(kSmallSweep);
  EXPECT_EQ(failed[0].id, jobs[1].attempt.job);
  EXPECT_EQ(failed[0].seed, 2);
  EXPECT_EQ(failed[0].attempts, 1);
  EXPECT_THAT(failed[0].error, AllOf(HasSubstr("failed"), HasSubstr(": boom")))
      << "why it was given up, and the last error";
  EXPECT_EQ(failed[0].key, JobKey(Grid(spec).Job(0, 2)));
  EXPECT_THAT(failed[0].params_json, AllOf(HasSubstr("\"mlp\""), HasSubstr("\"adam\"")));
}

TEST_P(StoreReaderTest, JobShowsTheNewestAttemptsCurveUntilOneIsAccepted) {
  s_->Submit();
  const OpenAttempt first = s_->ClaimOne();
  ASSERT_THAT(s_->TryEpoch(first, 1, MakeEpoch(1, 0.1)), IsOk());
  s_->Lose(first);
  EXPECT_THAT(s_->Job(first.job).epochs, ElementsAre(MakeEpoch(1, 0.1)));
  const OpenAttempt second = s_->ClaimOne(At(30));
  ASSERT_EQ(second.job, first.job);
  EXPECT_THAT(s_->Job(first.job).epochs, IsEmpty());
  s_->Succeed(second, {0.2});
  EXPECT_THAT(s_->Job(first.job).epochs, ElementsAre(MakeEpoch(1, 0.2)));
  EXPECT_EQ(s_->Job(first.job).job.error, "lease expired");
}

TEST_P(StoreReaderTest, WorkersAreUpdatedByNameAndCountTheirWork) {
  s_->Submit();
  const std::vector<ClaimedJob> jobs = s_->Claim(4);
  s_->Succeed(jobs[0].attempt, {0.5});
  s_->Fail(jobs[1].attempt, "boom");
  const WorkerId id = s_->Worker("w1");
  EXPECT_EQ(id, s_->Worker("w1"));
  s_->Worker("w0");
  ASSERT_THAT(s_->store().TouchWorkers({id}, At(99)), IsOk());
  ASSERT_OK_AND_ASSIGN(const std::vector<WorkerStatusRecord> workers, s_->reader().ListWorkers());
  ASSERT_THAT(workers, SizeIs(2));
  EXPECT_EQ(workers[0].worker.name, "w0");
  EXPECT_EQ(workers[0].last_seen, At(5));
  EXPECT_EQ(workers[1].id, id);
  EXPECT_EQ(workers[1].worker.host, "host");
  EXPECT_EQ(workers[1].worker.slots, 2);
  EXPECT_EQ(workers[1].last_seen, At(99));
  EXPECT_EQ(workers[1].running, 2);
  EXPECT_EQ(workers[1].jobs_done, 1);
  EXPECT_EQ(workers[1].failures, 1);
}

TEST_P(StoreReaderTest, AWorkerThatLeftInOrderSaysSoUntilItComesBack) {
  const WorkerId id = s_->Worker("w1");
  s_->Worker("w2");
  ASSERT_THAT(s_->store().MarkWorkerLeft(id, At(70)), IsOk());
  ASSERT_OK_AND_ASSIGN(std::vector<WorkerStatusRecord> workers, s_->reader().ListWorkers());
  EXPECT_EQ(workers.at(0).left, At(70));
  EXPECT_EQ(workers.at(0).last_seen, At(70));
  EXPECT_EQ(workers.at(1).left, std::nullopt);
  s_->Worker("w1");
  ASSERT_OK_AND_ASSIGN(workers, s_->reader().ListWorkers());
  EXPECT_EQ(workers.at(0).left, std::nullopt);
}

GRIDSWEEP_STORE_SUITE(StoreReaderTest);

}  // namespace
}  // namespace gridsweep
