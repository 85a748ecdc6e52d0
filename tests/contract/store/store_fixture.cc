#include "tests/contract/store/store_fixture.h"

#include <cstdio>
#include <cstdlib>

#include "common/base/sha256.h"
#include "common/catalog/catalog.h"

namespace gridsweep {

const char kSmallSweep[] = R"(name: small
dataset: toy
training: { epochs: 3, batch_size: 32, validation: 0.1 }
objective: val_accuracy
seeds: [1, 2]
grid:
  model: [mlp, cnn]
  optimizer: [adam, sgd]
)";

SweepSpec ParseOrDie(const std::string& yaml) {
  absl::StatusOr<SweepSpec> spec = ParseSweep(yaml, "test.yaml", Catalog::Builtin());
  if (!spec.ok()) {
    std::fprintf(stderr, "%s\n", Message(spec.status()).c_str());
    std::abort();
  }
  return *std::move(spec);
}

EpochMetrics MakeEpoch(int64_t number, double val_accuracy) {
  return {.epoch = number,
          .train_loss = 2.0 / static_cast<double>(number),
          .train_accuracy = val_accuracy + 0.01,
          .val_loss = 1 - val_accuracy,
          .val_accuracy = val_accuracy,
          .test_loss = 1.1 - val_accuracy,
          .test_accuracy = val_accuracy - 0.01,
          .lr = 0.001,
          .seconds = 1.5,
          .samples_per_second = 1000};
}

DatasetInfo ToyData(const std::string& digest) {
  return {.name = "toy", .digest = digest, .class_names = {"cat", "dog"}, .train_size = 90, .test_size = 10};
}

Evaluation ToyEvaluation() {
  return {.confusion = {4, 1, 0, 5},
          .predictions = {{.index = 3, .actual = 0, .predicted = 1, .confidence = 0.75},
                          {.index = 7, .actual = 1, .predicted = 1, .confidence = 0.5}}};
}

absl::Time At(int64_t second) {
  return absl::FromUnixSeconds(1'800'000'000 + second);
}

AttemptEnd Success(absl::Time now) {
  return {.state = AttemptState::kSucceeded,
          .job_state = JobState::kSucceeded,
          .counters = {},
          .now = now,
          .not_before = {},
          .error = "",
          .stderr_tail = "",
          .evaluation = ToyEvaluation()};
}

absl::StatusOr<SubmittedSweep> StoreHarness::TrySubmit(const std::string& yaml, const std::string& key,
                                                       bool resume) {
  const SweepSpec spec = ParseOrDie(yaml);
  const Grid grid(spec);
  return store().SubmitSweep(
      {.client_key = key, .content_hash = Sha256Hex(yaml), .yaml = yaml, .resume = resume}, spec, grid,
      Catalog::Builtin(), At(0));
}

SweepId StoreHarness::Submit(const std::string& yaml, const std::string& key) {
  const absl::StatusOr<SubmittedSweep> submitted = TrySubmit(yaml, key);
  EXPECT_THAT(submitted, IsOk());
  return submitted.ok() ? submitted->id : SweepId{};
}

WorkerId StoreHarness::Worker(const std::string& name) {
  const absl::StatusOr<WorkerId> id = store().UpsertWorker({.name = name,
                                                            .session = "s",
                                                            .host = "host",
                                                            .pid = 7,
                                                            .memory_bytes = 1 << 30,
                                                            .devices_json = R"([{"name":"cpu","slots":2}])",
                                                            .slots = 2,
                                                            .version = "0.1.0",
                                                            .libtorch_version = "1.13.1"},
                                                           At(5));
  EXPECT_THAT(id, IsOk());
  return id.value_or(WorkerId{});
}

std::vector<ClaimedJob> StoreHarness::Claim(int64_t limit, absl::Time now, const std::string& worker) {
  absl::StatusOr<std::vector<ClaimedJob>> jobs =
      store().ClaimJobs({.worker = Worker(worker), .limit = limit, .datasets = {"other", "toy"}, .now = now});
  EXPECT_THAT(jobs, IsOk());
  return jobs.ok() ? *std::move(jobs) : std::vector<ClaimedJob>{};
}

absl::Status StoreHarness::TryStart(const OpenAttempt& attempt, uint64_t seq, const std::string& digest) {
  return store().RecordStarted(attempt.attempt, attempt.token, seq, ToyData(digest), "cpu", "x86/1.13", 0);
}

absl::Status StoreHarness::TryEpoch(const OpenAttempt& attempt, uint64_t seq, const EpochMetrics& epoch) {
  return store().RecordEpochs(attempt.attempt, attempt.token, seq, {&epoch, 1});
}

absl::Status StoreHarness::TryEnd(const OpenAttempt& attempt, uint64_t seq, const AttemptEnd& end) {
  return store().EndAttempt(attempt.attempt, attempt.token, seq, end);
}

void StoreHarness::Succeed(const OpenAttempt& attempt, const std::vector<double>& val_accuracies,
                           absl::Time now) {
  uint64_t seq = attempt.stored_seq;
  ASSERT_THAT(TryStart(attempt, ++seq), IsOk());
  int64_t number = 0;
  for (const double value : val_accuracies) {
    ++number;
    ASSERT_THAT(TryEpoch(attempt, ++seq, MakeEpoch(number, value)), IsOk());
  }
  AttemptEnd end = Success(now);
  end.counters = attempt.counters;
  ASSERT_THAT(TryEnd(attempt, ++seq, end), IsOk());
}

void StoreHarness::Diverge(const OpenAttempt& attempt, absl::Time now) {
  ASSERT_THAT(TryEnd(attempt, 0,
                     {.state = AttemptState::kDiverged,
                      .job_state = JobState::kDiverged,
                      .counters = attempt.counters,
                      .now = now,
                      .not_before = {},
                      .error = "loss became nan",
                      .stderr_tail = "",
                      .evaluation = {}}),
              IsOk());
}

void StoreHarness::Lose(const OpenAttempt& attempt, absl::Time now) {
  RetryCounters counters = attempt.counters;
  ++counters.losses;
  ASSERT_THAT(TryEnd(attempt, 0,
                     {.state = AttemptState::kLost,
                      .job_state = JobState::kPending,
                      .counters = counters,
                      .now = now,
                      .not_before = now,
                      .error = "lease expired",
                      .stderr_tail = "",
                      .evaluation = {}}),
              IsOk());
}

void StoreHarness::Fail(const OpenAttempt& attempt, const std::string& error, JobState job_state,
                        absl::Time now) {
  RetryCounters counters = attempt.counters;
  ++counters.failures;
  ASSERT_THAT(TryEnd(attempt, 0,
                     {.state = AttemptState::kFailed,
                      .job_state = job_state,
                      .counters = counters,
                      .now = now,
                      .not_before = now + absl::Seconds(30),
                      .error = error,
                      .stderr_tail = "last words",
                      .evaluation = {}}),
              IsOk());
}

SweepRecord StoreHarness::Sweep(SweepId id) {
  absl::StatusOr<SweepRecord> sweep = reader().GetSweep(id);
  EXPECT_THAT(sweep, IsOk());
  return sweep.ok() ? *std::move(sweep) : SweepRecord{};
}

JobDetailRecord StoreHarness::Job(JobId id) {
  absl::StatusOr<JobDetailRecord> job = reader().GetJob(id);
  EXPECT_THAT(job, IsOk());
  return job.ok() ? *std::move(job) : JobDetailRecord{};
}

StoreBackend SqliteBackend() {
  return {"Sqlite", [](const std::string& folder, const Clock* clock) {
            return OpenSqliteStore(folder + "/test.db",
                                   {.clock = clock, .max_pages = 0, .file_system_type = {}});
          }};
}

StoreContractTest::StoreContractTest() {
  Reopen();
}

void StoreContractTest::Reopen() {
  s_.reset();
  absl::StatusOr<StoreFiles> files = GetParam().open(folder_.path(), &clock_);
  if (!files.ok()) {
    std::fprintf(stderr, "%s\n", Message(files.status()).c_str());
    std::abort();
  }
  s_ = std::make_unique<StoreHarness>(*std::move(files), &clock_);
}

void SqliteFileTest::Open(const StoreOptions& options) {
  StoreOptions with_clock = options;
  with_clock.clock = &clock_;
  absl::StatusOr<StoreFiles> files = OpenSqliteStore(path_, with_clock);
  ASSERT_THAT(files, IsOk());
  s_ = std::make_unique<StoreHarness>(*std::move(files), &clock_);
}

}  // namespace gridsweep
