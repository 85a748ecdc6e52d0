#include "coordinator/queue/commit_loop.h"

#include <atomic>
#include <future>
#include <thread>

#include "tests/support/forwarding_store.h"
#include "tests/support/wait_until.h"
#include "tests/unit/queue/queue_fixture.h"

namespace gridsweep {
namespace {

using absl::StatusCode;
using testing::_;
using testing::HasSubstr;

// The store under test, whose batches fail on demand.
class FaultyStore : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;

  std::atomic<int> failing_commits{0};
  std::atomic<int> failing_begins{0};
  std::atomic<int> commits{0};

  absl::Status BeginBatch() override {
    if (failing_begins > 0) {
      --failing_begins;
      return Unavailable("the disk is away");
    }
    return ForwardingStore::BeginBatch();
  }
  absl::Status CommitBatch() override {
    if (failing_commits > 0) {
      --failing_commits;
      RollbackBatch();
      return ResourceExhausted("the disk is full");
    }
    ++commits;
    return ForwardingStore::CommitBatch();
  }
};

class CommitLoopTest : public QueueTest {
 protected:
  CommitLoopTest() : store_(files_.store.get()) {
    Submit(kTwoJobs);
    queue_ = std::make_unique<JobQueue>(&store_, options_);
    EXPECT_THAT(queue_->Load(*files_.reader, clock_.Now()), IsOk());
  }

  void StartLoop(CommitLoop::Options options = {}) {
    runner_ = std::make_unique<BatchRunner>(&store_, files_.reader.get(), queue_.get());
    loop_ = std::make_unique<CommitLoop>(runner_.get(), &clock_, options);
  }
  absl::StatusOr<SyncOutput> SyncInLoop(const SyncInput& input) {
    SyncOutput output;
    GS_RETURN_IF_ERROR(loop_->Run([&](JobQueue& queue, const Instant& now) -> absl::Status {
      GS_ASSIGN_OR_RETURN(output, queue.Sync(input, now));
      return absl::OkStatus();
    }));
    return output;
  }
  static absl::Status Nothing(JobQueue&, const Instant&) { return absl::OkStatus(); }

  FaultyStore store_;
  std::unique_ptr<BatchRunner> runner_;
  std::unique_ptr<CommitLoop> loop_;
};

TEST_F(CommitLoopTest, EveryPostIsAnsweredAfterItsCommit) {
  StartLoop();
  constexpr int kThreads = 8;
  constexpr int kPosts = 200;
  std::atomic<int> answered{0};
  std::atomic<int> before_commit{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < kPosts; ++i) {
        auto commits_at_run = std::make_shared<int>(-1);
        loop_->Post(
            [this, commits_at_run](JobQueue&, const Instant&) {
              *commits_at_run = store_.commits;
              return absl::OkStatus();
            },
            [&, commits_at_run](const absl::Status& status) {
              if (!status.ok() || store_.commits <= *commits_at_run) ++before_commit;
              ++answered;
            });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  loop_->Stop();
  EXPECT_EQ(answered, kThreads * kPosts);
  EXPECT_EQ(before_commit, 0);
  EXPECT_LT(store_.commits, kThreads * kPosts) << "posts share commits";
}

TEST_F(CommitLoopTest, AnOperationsOwnErrorIsItsAnswerAndNobodyElses) {
  StartLoop();
  EXPECT_THAT(loop_->Run([](JobQueue&, const Instant&) { return NotFound("no sweep 'x'"); }),
              StatusIs(StatusCode::kNotFound, "no sweep 'x'"));
  EXPECT_THAT(loop_->Run(Nothing), IsOk());
}

TEST_F(CommitLoopTest, StopFinishesWhatWasPostedAndRefusesTheRest) {
  StartLoop();
  std::promise<void> gate;
  loop_->Post(
      [&gate](JobQueue&, const Instant&) {
        gate.get_future().wait();
        return absl::OkStatus();
      },
      [](const absl::Status&) {});
  std::atomic<int> done{0};
  for (int i = 0; i < 100; ++i) {
    loop_->Post(Nothing, [&done](const absl::Status& status) { done += status.ok(); });
  }
  std::thread stopper([this] { loop_->Stop(); });
  gate.set_value();
  stopper.join();
  EXPECT_EQ(done, 100);
  EXPECT_THAT(loop_->Run(Nothing), StatusIs(StatusCode::kUnavailable, HasSubstr("shutting down")));
  loop_->Stop();
}

TEST_F(CommitLoopTest, ASlowAnswerHoldsUpNobodyWhoWaits) {
  StartLoop();
  std::promise<void> first_runs, others_wait, second_ran;
  loop_->Post(
      [&](JobQueue&, const Instant&) {
        first_runs.set_value();
        others_wait.get_future().wait();
        return absl::OkStatus();
      },
      [&](const absl::Status&) {
        EXPECT_EQ(second_ran.get_future().wait_for(kWaitLimit), std::future_status::ready);
      });
  first_runs.get_future().wait();
  loop_->Post(
      [&](JobQueue&, const Instant&) {
        second_ran.set_value();
        return absl::OkStatus();
      },
      [](const absl::Status&) {});
  others_wait.set_value();
  loop_->Stop();
}

TEST_F(CommitLoopTest, TooManyWaitingOperationsAreRefusedAtOnce) {
  StartLoop({.max_waiting = 3, .max_batch = 1024, .tick = absl::Milliseconds(200)});
  std::promise<void> running, gate;
  loop_->Post(
      [&](JobQueue&, const Instant&) {
        running.set_value();
        gate.get_future().wait();
        return absl::OkStatus();
      },
      [](const absl::Status&) {});
  running.get_future().wait();
  std::atomic<int> done{0};
  for (int i = 0; i < 3; ++i)
    loop_->Post(Nothing, [&done](const absl::Status& status) { done += status.ok(); });
  absl::Status refused;
  loop_->Post(Nothing, [&refused](const absl::Status& status) { refused = status; });
  EXPECT_THAT(refused, StatusIs(StatusCode::kResourceExhausted, HasSubstr("3 requests waiting")));
  gate.set_value();
  loop_->Stop();
  EXPECT_EQ(done, 3);
}

TEST_F(CommitLoopTest, AFailedCommitIsUnavailableToAllAndNothingIsKept) {
  StartLoop();
  FakeWorker alice("alice");
  store_.failing_commits = 1;
  EXPECT_THAT(SyncInLoop(alice.Request()), StatusIs(StatusCode::kUnavailable, HasSubstr("the disk is full")));
  ASSERT_OK_AND_ASSIGN(const SyncOutput output, SyncInLoop(alice.Request()));
  ASSERT_EQ(output.leases.size(), 1u);
  EXPECT_EQ(output.leases[0].attempt.number, 1) << "the lease that was lost with the batch left no trace";
  EXPECT_EQ(QueryInt("SELECT count(*) FROM v_attempts"), 1);
}

TEST_F(CommitLoopTest, AResultIsNotAcknowledgedBeforeItIsStored) {
  StartLoop();
  FakeWorker alice("alice");
  ASSERT_OK_AND_ASSIGN(const SyncOutput leased, SyncInLoop(alice.Request()));
  alice.Accept(leased);
  alice.ReportAll(alice.held().at(0), 0.7);
  store_.failing_commits = 2;
  EXPECT_THAT(SyncInLoop(alice.Request()), StatusIs(StatusCode::kUnavailable, _));
  EXPECT_EQ(Job(1).state, JobState::kRunning);
  ASSERT_TRUE(WaitUntil("the failing commits to pass", [this] { return store_.failing_commits == 0; }));
  ASSERT_OK_AND_ASSIGN(const SyncOutput stored, SyncInLoop(alice.Request()));
  alice.Accept(stored);
  EXPECT_EQ(Job(1).state, JobState::kSucceeded);
  EXPECT_EQ(QueryInt("SELECT count(*) FROM v_epochs WHERE job = 1"), 2);
}

TEST_F(CommitLoopTest, AStoreThatCannotBeginIsUnavailableForNow) {
  StartLoop({.max_waiting = 8, .max_batch = 8, .tick = absl::Hours(1)});
  store_.failing_begins = 1;
  EXPECT_THAT(loop_->Run(Nothing), StatusIs(StatusCode::kUnavailable, HasSubstr("the disk is away")));
  EXPECT_THAT(loop_->Run(Nothing), IsOk());
}

TEST_F(CommitLoopTest, LeasesAreLookedAtWithoutAnybodyCalling) {
  StartLoop({.max_waiting = 8, .max_batch = 8, .tick = absl::Milliseconds(1)});
  FakeWorker alice("alice");
  ASSERT_THAT(SyncInLoop(alice.Request()), IsOk());
  EXPECT_TRUE(WaitUntil(
      "the lease to expire",
      [this] {
        clock_.Advance(absl::Seconds(1));
        return Job(1).state == JobState::kPending;
      },
      [this] { return std::string(JobStateName(Job(1).state)); }));
}

}  // namespace
}  // namespace gridsweep
