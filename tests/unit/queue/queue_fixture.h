// The queue on a real store, time that moves only when told, and workers that behave.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "coordinator/queue/job_queue.h"
#include "coordinator/store/sqlite_store.h"
#include "tests/support/fake_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace gridsweep {

inline constexpr absl::Duration kLease = absl::Seconds(30);

// One cell, two seeds, two epochs.
inline constexpr char kTwoJobs[] =
    "name: two\ndataset: tiny\ntraining: {epochs: 2, validation: 0.1}\nseeds: [1, 2]\ngrid: {model: mlp}\n";
inline constexpr char kOneJob[] =
    "name: one\ndataset: tiny\ntraining: {epochs: 2, validation: 0.1}\nseeds: [1]\ngrid: {model: mlp}\n";

DatasetInfo Tiny(const std::string& content = "content");
EpochMetrics Epoch(int64_t epoch, double accuracy = 0.5);
AttemptFinished Finished(AttemptState outcome, const std::string& error = "");

// A worker as the agent makes it, without trainers: holds what it is given, reports what the test says, repeats events
// until they are acknowledged. A request that is never passed to Accept is one whose answer was lost.
class FakeWorker {
 public:
  explicit FakeWorker(std::string name, std::string session = "session-1")
      : name_(std::move(name)), session_(std::move(session)) {}

  SyncInput Request();
  void Accept(const SyncOutput& output);

  void Report(AttemptId attempt, std::variant<AttemptStarted, EpochMetrics, AttemptFinished> what);
  // Everything a job of two epochs has to say.
  void ReportAll(AttemptId attempt, double accuracy = 0.5);

  std::vector<AttemptId> held() const;
  const ClaimedJob& job(AttemptId attempt) const { return held_.at(attempt).job; }

  int64_t slots = 1;
  std::vector<std::string> datasets{"tiny"};

 private:
  struct Held {
    ClaimedJob job;
    uint64_t next_seq = 1;
    std::vector<AttemptEvent> events;  // not acknowledged
    bool finished = false;
  };
  std::string name_, session_;
  uint64_t sync_seq_ = 0;
  bool info_due_ = true;
  std::map<AttemptId, Held> held_;
};

class QueueTest : public testing::Test {
 protected:
  QueueTest();

  SweepId Submit(const std::string& yaml = kTwoJobs);
  // One exchange in a batch of its own, as the commit loop makes it.
  absl::StatusOr<SyncOutput> Exchange(const SyncInput& input);
  // An exchange whose answer arrives. Fails the test if it is refused.
  SyncOutput Sync(FakeWorker& worker);
  // Syncs and returns the one attempt that was leased. Fails the test if there is not exactly one.
  AttemptId Lease(FakeWorker& worker);
  // Reports the end and syncs.
  void End(FakeWorker& worker, AttemptId attempt, const AttemptFinished& finished);

  // Lets time pass as it does in a coordinator: with regular looks at the leases.
  void Pass(absl::Duration duration);
  void Tick();
  // The coordinator is killed and started again.
  void Restart();

  JobRecord Job(int64_t id);
  std::vector<AttemptRecord> Attempts(int64_t job);
  SweepState State(SweepId sweep);
  int64_t QueryInt(const std::string& sql);

  TempDir dir_;
  FakeClock clock_;
  QueueOptions options_;
  double jitter_ = 0.5;
  StoreFiles files_;
  std::unique_ptr<JobQueue> queue_;
  int submitted_ = 0;
};

}  // namespace gridsweep
