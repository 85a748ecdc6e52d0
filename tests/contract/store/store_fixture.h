// A store in a temporary folder with a vocabulary for telling its story in one line a step.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "coordinator/store/sqlite_store.h"
#include "tests/support/fake_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace gridsweep {

// 2 models × 2 optimizers × seeds 1 and 2: 4 cells, 8 jobs of 3 epochs, ranked by the best val_accuracy.
extern const char kSmallSweep[];

SweepSpec ParseOrDie(const std::string& yaml);
// Epoch `number` with this validation accuracy, and every other metric a simple function of both.
EpochMetrics MakeEpoch(int64_t number, double val_accuracy);
DatasetInfo ToyData(const std::string& digest = "digest-1");
Evaluation ToyEvaluation();
// The absl::Time of `second` in the tests' own era.
absl::Time At(int64_t second);
AttemptEnd Success(absl::Time now = At(20));

// An open store and the moves of a coordinator on it. Every move expects success unless its name says Try.
class StoreHarness {
 public:
  StoreHarness(StoreFiles files, FakeClock* clock) : files_(std::move(files)), clock_(clock) {}

  Store& store() { return *files_.store; }
  StoreReader& reader() { return *files_.reader; }
  FakeClock& clock() { return *clock_; }

  absl::StatusOr<SubmittedSweep> TrySubmit(const std::string& yaml, const std::string& key,
                                           bool resume = false);
  SweepId Submit(const std::string& yaml = kSmallSweep, const std::string& key = "key-1");
  WorkerId Worker(const std::string& name = "w1");
  std::vector<ClaimedJob> Claim(int64_t limit, absl::Time now = At(10), const std::string& worker = "w1");
  OpenAttempt ClaimOne(absl::Time now = At(10)) { return Claim(1, now).at(0).attempt; }
  absl::Status TryStart(const OpenAttempt& attempt, uint64_t seq = 1, const std::string& digest = "digest-1");
  absl::Status TryEpoch(const OpenAttempt& attempt, uint64_t seq, const EpochMetrics& epoch);
  absl::Status TryEnd(const OpenAttempt& attempt, uint64_t seq, const AttemptEnd& end);
  // Started, one epoch per value, and a result.
  void Succeed(const OpenAttempt& attempt, const std::vector<double>& val_accuracies,
               absl::Time now = At(20));
  void Diverge(const OpenAttempt& attempt, absl::Time now = At(20));
  // Ends without a result and leaves the job pending, or failed.
  void Lose(const OpenAttempt& attempt, absl::Time now = At(20));
  void Fail(const OpenAttempt& attempt, const std::string& error, JobState job_state = JobState::kFailed,
            absl::Time now = At(20));

  SweepRecord Sweep(SweepId id);
  JobDetailRecord Job(JobId id);

 private:
  StoreFiles files_;
  FakeClock* clock_;
};

// How a backend is opened in an empty folder; a second backend adds one more of these.
struct StoreBackend {
  std::string name;
  std::function<absl::StatusOr<StoreFiles>(const std::string& folder, const Clock* clock)> open;
};
StoreBackend SqliteBackend();

// The base of the suites that any backend must pass.
class StoreContractTest : public testing::TestWithParam<StoreBackend> {
 protected:
  StoreContractTest();
  // Closes the store and opens it again.
  void Reopen();

  TempDir folder_;
  FakeClock clock_;
  std::unique_ptr<StoreHarness> s_;
};

// The base of tests about the SQLite file itself.
class SqliteFileTest : public testing::Test {
 protected:
  SqliteFileTest() : path_(folder_ / "test.db") {}
  void Open(const StoreOptions& options = {});
  void Close() { s_.reset(); }

  TempDir folder_;
  std::string path_;
  FakeClock clock_;
  std::unique_ptr<StoreHarness> s_;
};

// Instantiates a suite for all backends.
#define GRIDSWEEP_STORE_SUITE(Suite)                                          \
  INSTANTIATE_TEST_SUITE_P(Backends, Suite, testing::Values(SqliteBackend()), \
                           [](const auto& backend) { return backend.param.name; })

}  // namespace gridsweep
