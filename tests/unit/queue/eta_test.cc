// What the queue learns about costs, what it does first, and when it expects to be done.
#include "tests/unit/queue/queue_fixture.h"

namespace gridsweep {
namespace {

// Jobs 1 and 2 are mlp, 3 and 4 cnn; each of two epochs.
constexpr char kModels[] =
    "name: models\ndataset: tiny\ntraining: {epochs: 2, validation: 0.1}\nseeds: [1, 2]\n"
    "grid: {model: [mlp, cnn]}\n";

class EtaTest : public QueueTest {
 protected:
  std::optional<double> SecondsLeft(SweepId sweep) {
    const auto left = queue_->SecondsLeft(sweep, clock_.Now());
    EXPECT_THAT(left, IsOk());
    return left.value_or(std::nullopt);
  }
  int64_t NextJob(FakeWorker& worker) {
    const AttemptId attempt = Lease(worker);
    return attempt.value == 0 ? 0 : worker.job(attempt).attempt.job.value;
  }
  // Epochs that take `seconds`, and the end, of the one job that the worker holds.
  void Train(FakeWorker& worker, double seconds, int epochs = 2) {
    const AttemptId attempt = worker.held().front();
    worker.Report(attempt, AttemptStarted{Tiny(), "cpu", "environment"});
    for (int epoch = 1; epoch <= epochs; ++epoch) {
      EpochMetrics metrics = Epoch(epoch);
      metrics.seconds = seconds;
      worker.Report(attempt, metrics);
    }
    if (epochs == 2) worker.Report(attempt, Finished(AttemptState::kSucceeded));
  }
};

TEST_F(EtaTest, EachKindOfWorkIsMeasuredEarlyThenTheLongestComesFirst) {
  const SweepId sweep = Submit(kModels);
  Submit(kModels);
  FakeWorker worker("w");
  EXPECT_EQ(NextJob(worker), 1);
  EXPECT_EQ(SecondsLeft(sweep), std::nullopt) << "nothing was measured yet";
  Train(worker, 1);
  EXPECT_EQ(NextJob(worker), 3) << "what an epoch of the cnn takes is unknown";
  EXPECT_EQ(SecondsLeft(sweep), std::nullopt);
  Train(worker, 10);
  EXPECT_EQ(NextJob(worker), 4) << "the cnn takes longer";
  Train(worker, 10);
  EXPECT_EQ(NextJob(worker), 2);
  Train(worker, 1);
  EXPECT_EQ(NextJob(worker), 7) << "the other sweep is of the same kinds";
}

TEST_F(EtaTest, CostsAreKnownAgainAfterARestart) {
  Submit(kModels);
  FakeWorker worker("w");
  Lease(worker);
  Train(worker, 1);
  Lease(worker);
  Train(worker, 10);
  const int64_t slots = std::exchange(worker.slots, 0);
  Sync(worker);
  Restart();
  Sync(worker);
  worker.slots = slots;
  EXPECT_EQ(NextJob(worker), 4);
}

TEST_F(EtaTest, IsWhatRunsAndWaitsOverTheSlots) {
  const SweepId sweep = Submit(kModels);
  FakeWorker worker("w");
  Lease(worker);
  Train(worker, 1);
  Lease(worker);  // job 3, cnn
  Train(worker, 10, /*epochs=*/1);
  Sync(worker);
  // FakeWorker says that it is in the middle of epoch 1 of what it holds: one and a half are left, then job 4 and job 2.
  EXPECT_EQ(SecondsLeft(sweep), 15 + 20 + 2);
  FakeWorker other("other");
  other.slots = 0;
  Sync(other);
  EXPECT_EQ(SecondsLeft(sweep), 20) << "a second slot takes job 4, the first job 2";
}

TEST_F(EtaTest, SharedEpochsAreExpectedOnce) {
  const SweepId sweep = Submit(
      "name: shared\ndataset: tiny\ntraining: {epochs: 2, validation: 0.1}\nseeds: [1, 2]\n"
      "grid: {model: mlp, scheduler: [none, exponential, {exponential: {gamma: 0.5}}]}\n");
  FakeWorker worker("w");
  Sync(worker);
  for (const AttemptId attempt : worker.held()) {
    worker.Report(attempt, AttemptStarted{Tiny(), "cpu", "environment"});
    EpochMetrics metrics = Epoch(1);
    metrics.seconds = 3;
    metrics.shared_by = 3;
    worker.Report(attempt, metrics);
  }
  Sync(worker);
  // Running: half an epoch in common, then one for each of the three. Waiting: one in common and one for each.
  EXPECT_EQ(SecondsLeft(sweep), 3 * (1.5 + 1 + 1) + 3 * 4);
}

TEST_F(EtaTest, WaitsForOlderSweepsAndNotForNewerOnes) {
  const SweepId first = Submit(kOneJob);
  const SweepId second = Submit(kTwoJobs);
  FakeWorker worker("w");
  Lease(worker);
  Train(worker, 1, /*epochs=*/1);
  Sync(worker);
  EXPECT_EQ(SecondsLeft(first), 1.5);
  EXPECT_EQ(SecondsLeft(second), 1.5 + 4);
}

TEST_F(EtaTest, IsUnknownWhenNothingCanRun) {
  const SweepId sweep = Submit(kTwoJobs);
  FakeWorker worker("w");
  Lease(worker);
  Train(worker, 1);
  const int64_t slots = std::exchange(worker.slots, 0);
  Sync(worker);
  worker.slots = slots;
  EXPECT_EQ(SecondsLeft(sweep), 2);
  ASSERT_THAT(files_.store->SetPaused(sweep, true, clock_.Now().wall), IsOk());
  EXPECT_EQ(SecondsLeft(sweep), std::nullopt) << "paused";
  ASSERT_THAT(files_.store->SetPaused(sweep, false, clock_.Now().wall), IsOk());
  Pass(kLease * 3 / 2 + absl::Seconds(1));  // an idle one may be late by half
  EXPECT_EQ(SecondsLeft(sweep), std::nullopt) << "no worker is there";
}

}  // namespace
}  // namespace gridsweep
