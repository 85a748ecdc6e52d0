#include <map>
#include <set>

#include "common/base/json.h"
#include "common/job/job_spec.h"
#include "common/schedule/shared_epochs.h"
#include "tests/contract/store/store_fixture.h"

namespace gridsweep {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// Jobs 1 to 6 are mlp: none, step and exponential with seeds 1 and 2 in turn; 7 to 12 the same with cnn.
constexpr char kSweep[] = R"(name: bundles
dataset: toy
training: { epochs: 4, batch_size: 32, validation: 0.1 }
seeds: [1, 2]
grid:
  model: [mlp, cnn]
  scheduler: [none, { step: { step_size: 2 } }, exponential]
)";

class StoreBundlesTest : public StoreContractTest {
 protected:
  std::vector<ClaimedJob> ClaimWith(ClaimRequest request) {
    request.worker = s_->Worker();
    if (request.datasets.empty()) request.datasets = {"toy"};
    if (request.now == absl::UnixEpoch()) request.now = At(10);
    const auto jobs = s_->store().ClaimJobs(request);
    EXPECT_THAT(jobs, IsOk());
    return jobs.value_or(std::vector<ClaimedJob>{});
  }

  // The jobs of every bundle, in order; jobs alone as bundles of one.
  static std::vector<std::vector<int64_t>> Bundles(const std::vector<ClaimedJob>& jobs) {
    std::vector<std::vector<int64_t>> bundles;
    int64_t last = 0;
    for (const ClaimedJob& job : jobs) {
      if (job.attempt.bundle == 0 || job.attempt.bundle != last) bundles.emplace_back();
      bundles.back().push_back(job.attempt.job.value);
      last = job.attempt.bundle;
    }
    return bundles;
  }
  std::vector<std::vector<int64_t>> ClaimBundles(ClaimRequest request) {
    return Bundles(ClaimWith(std::move(request)));
  }
  void HandBack(const OpenAttempt& attempt, bool retry_alone) {
    ASSERT_THAT(s_->TryEnd(attempt, 0,
                           {.state = AttemptState::kPreempted,
                            .job_state = JobState::kPending,
                            .counters = attempt.counters,
                            .now = At(20),
                            .not_before = At(20),
                            .error = "",
                            .stderr_tail = "",
                            .retry_alone = retry_alone,
                            .evaluation = {}}),
                IsOk());
  }
};

TEST_P(StoreBundlesTest, AGroupIsLeasedWhole) {
  s_->Submit(kSweep);
  const std::vector<ClaimedJob> jobs = ClaimWith({.limit = 2});
  EXPECT_THAT(Bundles(jobs), ElementsAre(ElementsAre(1, 3, 5), ElementsAre(2, 4, 6)));
  std::set<std::string> tokens, keys;
  for (const ClaimedJob& job : jobs) {
    EXPECT_NE(job.attempt.bundle, 0);
    EXPECT_EQ(job.attempt.epochs, 4);
    tokens.insert(job.attempt.token);
    keys.insert(PrefixKey(JobSpecFromJson(ParseJson(job.job_json).value(), Catalog::Builtin()).value()));
  }
  EXPECT_THAT(tokens, SizeIs(6)) << "every job has its own lease";
  EXPECT_THAT(keys, SizeIs(2));
  EXPECT_EQ(jobs[0].attempt.added_epochs, 4);
  EXPECT_EQ(jobs[1].attempt.added_epochs, 2);
  EXPECT_EQ(jobs[2].attempt.added_epochs, 3);
  EXPECT_THAT(ClaimBundles({.limit = 1}), ElementsAre(ElementsAre(7, 9, 11)));
}

TEST_P(StoreBundlesTest, BundlesSurviveAReopening) {
  s_->Submit(kSweep);
  const std::vector<ClaimedJob> jobs = ClaimWith({.limit = 1});
  Reopen();
  ASSERT_OK_AND_ASSIGN(const std::vector<OpenAttempt> open, s_->store().OpenAttempts());
  ASSERT_THAT(open, SizeIs(3));
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(open[i].bundle, jobs[i].attempt.bundle);
    EXPECT_EQ(open[i].added_epochs, jobs[i].attempt.added_epochs);
    EXPECT_EQ(open[i].epochs, 4);
  }
}

TEST_P(StoreBundlesTest, WithoutSharingEveryJobIsAlone) {
  s_->Submit(kSweep);
  const std::vector<ClaimedJob> jobs = ClaimWith({.limit = 3, .share = false});
  EXPECT_THAT(Bundles(jobs), ElementsAre(ElementsAre(1), ElementsAre(3), ElementsAre(5)));
  for (const ClaimedJob& job : jobs) EXPECT_EQ(job.attempt.bundle, 0);
}

TEST_P(StoreBundlesTest, FewGroupsAreSplitSoThatNoSlotIdles) {
  s_->Submit(kSweep);
  EXPECT_THAT(ClaimBundles({.limit = 2, .slots = 6}), ElementsAre(ElementsAre(1, 3), ElementsAre(5)))
      << "12 jobs on 6 slots are 2 a bundle";
  EXPECT_THAT(ClaimBundles({.limit = 2, .slots = 4}),
              ElementsAre(ElementsAre(2, 4, 6), ElementsAre(7, 9, 11)))
      << "9 jobs on 4 slots are 3 a bundle";
  EXPECT_THAT(ClaimBundles({.limit = 1, .slots = 100}), ElementsAre(ElementsAre(8)));
  EXPECT_THAT(ClaimBundles({.limit = 5, .slots = 1}), ElementsAre(ElementsAre(10, 12)));
}

TEST_P(StoreBundlesTest, AFailedJobIsLeasedAloneFromThenOn) {
  s_->Submit(kSweep);
  const std::vector<ClaimedJob> jobs = ClaimWith({.limit = 1});
  s_->Fail(jobs[1].attempt, "boom", JobState::kPending, At(20));  // not before 50
  HandBack(jobs[0].attempt, false);
  HandBack(jobs[2].attempt, false);
  const std::vector<ClaimedJob> others = ClaimWith({.limit = 1, .now = At(49)});
  EXPECT_THAT(Bundles(others), ElementsAre(ElementsAre(1, 5)));
  for (const ClaimedJob& job : others) HandBack(job.attempt, false);
  EXPECT_THAT(ClaimBundles({.limit = 3, .now = At(50)}),
              ElementsAre(ElementsAre(1, 5), ElementsAre(3), ElementsAre(2, 4, 6)));
}

TEST_P(StoreBundlesTest, JobsOfADeadTrainerAreLeasedAloneOthersTogetherAgain) {
  s_->Submit(kSweep);
  const std::vector<ClaimedJob> jobs = ClaimWith({.limit = 2});
  HandBack(jobs[0].attempt, true);
  HandBack(jobs[1].attempt, true);
  HandBack(jobs[2].attempt, false);
  for (size_t i = 3; i < 6; ++i) s_->Lose(jobs[i].attempt);
  EXPECT_THAT(ClaimBundles({.limit = 4, .now = At(30)}),
              ElementsAre(ElementsAre(1), ElementsAre(3), ElementsAre(5), ElementsAre(2, 4, 6)))
      << "a lost worker says nothing about its jobs";
}

TEST_P(StoreBundlesTest, ALimitOfJobsKeepsBundlesWhole) {
  s_->Submit(kSweep);
  EXPECT_THAT(ClaimBundles({.limit = 4, .max_jobs = 7}), SizeIs(2));
  EXPECT_THAT(ClaimBundles({.limit = 4, .max_jobs = 1}), ElementsAre(ElementsAre(7, 9, 11)));
}

TEST_P(StoreBundlesTest, LargeGroupsBecomeSeveralBundles) {
  std::string yaml =
      "name: large\ndataset: toy\nseeds: [1]\ngrid:\n  scheduler:\n    - { step: { step_size: [";
  for (int size = 1; size <= 70; ++size) yaml += fmt::format("{}{}", size > 1 ? ", " : "", size);
  s_->Submit(yaml + "] } }\n");
  const std::vector<std::vector<int64_t>> bundles = ClaimBundles({.limit = 10});
  ASSERT_THAT(bundles, SizeIs(3));
  EXPECT_THAT(bundles[0], SizeIs(kMaxBundle));
  EXPECT_THAT(bundles[1], SizeIs(kMaxBundle));
  EXPECT_THAT(bundles[2], SizeIs(6));
}

TEST_P(StoreBundlesTest, TheCostliestClassOfTheOldestSweepComesFirst) {
  s_->Submit(kSweep, "a");
  s_->Submit(kSweep, "b");
  const auto cnn_is_longer = [](const WorkClass& work) {
    return work.kind.find("cnn") != std::string::npos ? 100.0 : 10.0;
  };
  const auto mlp_is_unknown = [](const WorkClass& work) {
    return work.kind.find("cnn") != std::string::npos ? 100.0 : std::numeric_limits<double>::infinity();
  };
  EXPECT_THAT(ClaimBundles({.limit = 1, .cost = cnn_is_longer}), ElementsAre(ElementsAre(7, 9, 11)));
  EXPECT_THAT(ClaimBundles({.limit = 1, .cost = mlp_is_unknown}), ElementsAre(ElementsAre(1, 3, 5)));
  EXPECT_THAT(ClaimBundles({.limit = 3, .cost = cnn_is_longer}),
              ElementsAre(ElementsAre(8, 10, 12), ElementsAre(2, 4, 6), ElementsAre(19, 21, 23)));
}

TEST_P(StoreBundlesTest, WorkClassesCountWhatWaits) {
  const SweepId sweep = s_->Submit(kSweep);
  ASSERT_OK_AND_ASSIGN(std::vector<WorkClass> classes, s_->store().WorkClasses());
  ASSERT_THAT(classes, SizeIs(2));
  EXPECT_EQ(classes[0].group_epochs, 9);  // 4, and 2 after the step, and 3 of the exponential
  EXPECT_EQ(classes[0].pending, 6);
  EXPECT_EQ(classes[0].pending_epochs, 18);
  EXPECT_NE(classes[0].kind, classes[1].kind);
  const std::vector<ClaimedJob> jobs = ClaimWith({.limit = 1});
  HandBack(jobs[1].attempt, false);
  ASSERT_OK_AND_ASSIGN(classes, s_->store().WorkClasses());
  EXPECT_EQ(classes[0].pending, 4);
  EXPECT_EQ(classes[0].pending_epochs, 18 - 4 - 3);
  ASSERT_THAT(s_->store().CancelSweep(sweep, At(30)), IsOk());
  ASSERT_OK_AND_ASSIGN(classes, s_->store().WorkClasses());
  EXPECT_THAT(classes, IsEmpty());
  ASSERT_THAT(s_->store().RetryJobs(sweep, At(40)), IsOk());
  ASSERT_OK_AND_ASSIGN(classes, s_->store().WorkClasses());
  EXPECT_EQ(classes[0].pending, 6);
  EXPECT_EQ(classes[0].pending_epochs, 18);
}

TEST_P(StoreBundlesTest, SharedEpochsCostEachJobItsShare) {
  s_->Submit(kSweep);
  const std::vector<ClaimedJob> jobs = ClaimWith({.limit = 1});
  double sum = 0;
  for (const ClaimedJob& job : jobs) {
    ASSERT_THAT(s_->TryStart(job.attempt), IsOk());
    EpochMetrics epoch = MakeEpoch(1, 0.5);
    epoch.seconds = 6;
    epoch.shared_by = 3;
    ASSERT_THAT(s_->TryEpoch(job.attempt, 2, epoch), IsOk());
    epoch.epoch = 2;
    epoch.seconds = 5;
    epoch.shared_by = 1;
    ASSERT_THAT(s_->TryEpoch(job.attempt, 3, epoch), IsOk());
    ASSERT_THAT(s_->TryEnd(job.attempt, 4, Success()), IsOk());
    const JobDetailRecord detail = s_->Job(job.attempt.job);
    ASSERT_THAT(detail.epochs, SizeIs(2));
    EXPECT_EQ(detail.epochs[0].shared_by, 3);
    EXPECT_EQ(detail.epochs[0].seconds, 6);
    EXPECT_EQ(detail.epochs[1].shared_by, 1);
  }
  ASSERT_OK_AND_ASSIGN(const std::vector<CellResults> cells, s_->reader().ListResults(SweepId{1}));
  for (size_t i = 0; i < 3; ++i) {
    const JobResult& result = cells.at(i).jobs.at(0);
    EXPECT_EQ(result.seconds, 7);
    EXPECT_EQ(result.shared_epochs, 1);
    sum += *result.seconds;
  }
  EXPECT_EQ(sum, 6 + 3 * 5) << "the time the machine took";
}

TEST_P(StoreBundlesTest, AnEpochSharedByNobodyIsRefused) {
  s_->Submit(kSweep);
  const OpenAttempt attempt = s_->ClaimOne();
  EpochMetrics epoch = MakeEpoch(1, 0.5);
  epoch.shared_by = 0;
  EXPECT_FALSE(s_->TryEpoch(attempt, 1, epoch).ok());
  epoch.shared_by = 1;
  EXPECT_THAT(s_->TryEpoch(attempt, 1, epoch), IsOk()) << "nothing of it was stored";
}

TEST_P(StoreBundlesTest, EpochCostsAreMeansByClassAndDevice) {
  s_->Submit(kSweep);
  const std::vector<ClaimedJob> jobs = ClaimWith({.limit = 3});
  for (const ClaimedJob& job : jobs) {
    ASSERT_THAT(s_->TryStart(job.attempt), IsOk());
    EpochMetrics epoch = MakeEpoch(1, 0.5);
    epoch.seconds = job.attempt.work == 0 ? static_cast<double>(job.attempt.job.value) : 100;
    ASSERT_THAT(s_->TryEpoch(job.attempt, 2, epoch), IsOk());
    if (job.attempt.work != 0) continue;
    epoch.epoch = 2;
    epoch.seconds = job.attempt.job.value == 1 ? 1 : 9;
    epoch.shared_by = job.attempt.job.value == 1 ? 1 : 5;
    ASSERT_THAT(s_->TryEpoch(job.attempt, 3, epoch), IsOk());
  }
  ASSERT_OK_AND_ASSIGN(const std::vector<EpochCost> costs, s_->store().EpochCosts());
  ASSERT_THAT(costs, SizeIs(3));
  EXPECT_EQ(costs[0].work, 0);
  EXPECT_FALSE(costs[0].first);
  EXPECT_NEAR(costs[0].epochs, 2, 1e-12) << "one alone, and one that five jobs share";
  EXPECT_NEAR(costs[0].seconds, 5, 1e-12);
  EXPECT_TRUE(costs[1].first);
  EXPECT_EQ(costs[1].seconds, 3.5);
  EXPECT_EQ(costs[1].epochs, 6);
  EXPECT_EQ(costs[1].device, "cpu");
  EXPECT_EQ(costs[2].seconds, 100);
}

GRIDSWEEP_STORE_SUITE(StoreBundlesTest);

}  // namespace
}  // namespace gridsweep
