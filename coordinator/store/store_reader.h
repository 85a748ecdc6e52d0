// Reading the database beside the writer, each call from one consistent snapshot.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "common/base/ids.h"
#include "common/base/status.h"
#include "common/job/metrics.h"
#include "common/job/retry_policy.h"
#include "common/results/ranking.h"
#include "coordinator/store/store.h"

namespace gridsweep {

struct SweepRecord {
  SweepId id;
  std::string name;
  SweepState state = SweepState::kActive;
  StateCounts jobs;
  std::string dataset;
  std::string dataset_digest;  // empty until the first trainer has read it
  int64_t cells = 0;
  int64_t seeds = 0;
  TrainingSpec training;
  Objective objective;
  std::string yaml;
  absl::Time created;
  std::optional<absl::Time> finished;
};

// Work done and left, in epochs; for progress and ETA.
struct EpochProgress {
  int64_t done = 0;   // stored epochs of accepted and open attempts
  int64_t total = 0;  // epochs of all jobs that are not failed or cancelled
};

struct RunningJobRecord {
  JobId job;
  AttemptId attempt;
  int64_t attempt_number = 0;
  std::vector<std::string> labels;  // five, in axis order
  int64_t seed = 0;
  std::string worker;
  std::string device;
  std::vector<EpochMetrics> epochs;
};

struct JobRecord {
  JobId id;
  SweepId sweep;
  JobState state = JobState::kPending;
  std::vector<std::string> labels;  // five, in axis order
  int64_t seed = 0;
  int64_t attempts = 0;
  RetryCounters counters;
  std::optional<double> objective;
  int64_t objective_epoch = 0;
  std::string error;  // of the last attempt that did not succeed
  std::string params_json;
  std::string key;
};

struct AttemptRecord {
  AttemptId id;
  int64_t number = 0;
  AttemptState state = AttemptState::kOpen;
  bool accepted = false;
  std::string worker;
  std::string device;
  std::string environment;
  absl::Time started;
  std::optional<absl::Time> ended;
  std::string error;
  std::string stderr_tail;
  int64_t resumed_epoch = 0;  // it went on from the checkpoint of this epoch; 0: from scratch
};

// The trained weights of a job, as they are kept.
struct ModelRecord {
  JobId job;
  std::string sha256;
  int64_t bytes = 0;
  int64_t epoch = 0;  // whose weights they are
  double objective = 0;
  std::vector<std::string> labels;  // five, in axis order
  int64_t seed = 0;
};

struct JobDetailRecord {
  JobRecord job;
  std::vector<EpochMetrics> epochs;  // of the accepted attempt, else of the newest
  Evaluation evaluation;             // empty without one
  DatasetInfo dataset;
  std::vector<AttemptRecord> attempts;
};

// A job as a report shows it.
struct ReportJobRecord {
  JobId id;
  int64_t cell = 0;
  int64_t seed = 0;
  JobState state = JobState::kPending;
  std::optional<double> objective;
  int64_t objective_epoch = 0;
  std::optional<double> test_accuracy;
  std::optional<double> test_loss;
  // Of the accepted attempt, else of the running one.
  int64_t epochs = 0;
  std::optional<double> seconds;
  std::string worker;
  std::string device;
  std::string environment;
  int64_t attempts = 0;
  std::string error;  // why it failed or diverged
  std::optional<absl::Time> finished;
};

struct AttemptCounts {
  int64_t total = 0, lost = 0, failed = 0, preempted = 0;
};

// Seeds that were added to a sweep.
struct RevisionRecord {
  int64_t number = 0;
  absl::Time created;
  int64_t cells = 0;
  int64_t jobs = 0;
  std::string reason;
};

// Images of one size, as many as were asked for; none if any of them is not known.
struct SampleImages {
  int64_t height = 0;
  int64_t width = 0;
  std::vector<uint8_t> pixels;  // image by image, row by row
};

struct WorkerStatusRecord {
  WorkerId id;
  WorkerRecord worker;
  absl::Time last_seen;
  std::optional<absl::Time> left;  // when it ended in order, and has not come back
  int64_t running = 0;             // open attempts
  int64_t jobs_done = 0;
  int64_t failures = 0;
};

struct QueryLimits {
  absl::Duration timeout = absl::Seconds(10);
  int64_t max_rows = 100'000;
};
struct SqlBlob {
  std::string bytes;
  friend bool operator==(const SqlBlob&, const SqlBlob&) = default;
};
// monostate: NULL. Texts are valid UTF-8: what is not in the file reads as U+FFFD.
using SqlValue = std::variant<std::monostate, int64_t, double, std::string, SqlBlob>;
struct QueryResult {
  std::vector<std::string> columns;
  std::vector<std::vector<SqlValue>> rows;
  bool truncated = false;
};

// Of the files, cheap to learn.
struct StoreSizes {
  int64_t database_bytes = 0;
  int64_t wal_bytes = 0;
  int64_t free_bytes = 0;  // for us, on the database's file system
};

// What a look at the files found.
struct StoreExamination {
  std::vector<std::string>
      damage;  // findings of SQLite's integrity check and of broken references, at most 20
  int64_t schema_version = 0;
  int64_t newest_schema = 0;  // that this program knows
  std::string sqlite_version;
  int64_t database_bytes = 0;
  int64_t wal_bytes = 0;
  int64_t free_bytes = 0;  // for us, on the database's file system
};

// Thread-safe: calls share a small pool of read-only connections. Methods return NOT_FOUND for unknown ids
// and UNAVAILABLE or DATA_LOSS when the file cannot be read.
class StoreReader {
 public:
  virtual ~StoreReader() = default;

  // By id ("3") or by name (the newest of that name). NOT_FOUND lists near names.
  virtual absl::StatusOr<SweepId> FindSweep(const std::string& id_or_name) = 0;
  virtual absl::StatusOr<std::vector<SweepRecord>> ListSweeps() = 0;  // newest first
  virtual absl::StatusOr<SweepRecord> GetSweep(SweepId sweep) = 0;
  // The distinct labels of each of the five axes, in axis order; labels in order of first appearance in the
  // grid.
  virtual absl::StatusOr<std::vector<std::vector<std::string>>> AxisLevels(SweepId sweep) = 0;
  virtual absl::StatusOr<EpochProgress> GetEpochProgress(SweepId sweep) = 0;
  // Epochs stored since `since`, by the coordinator's wall clock; for throughput.
  virtual absl::StatusOr<int64_t> CountEpochsSince(SweepId sweep, absl::Time since) = 0;
  // Those begun first.
  virtual absl::StatusOr<std::vector<RunningJobRecord>> ListRunning(SweepId sweep, int64_t limit) = 0;
  // The best result so far in the sweep's objective; nullopt before the first.
  virtual absl::StatusOr<std::optional<JobRecord>> BestJob(SweepId sweep) = 0;
  // "job 17: <error>" of the newest ended-as-failed-or-lost attempts.
  virtual absl::StatusOr<std::vector<std::string>> RecentFailures(SweepId sweep, int64_t limit) = 0;

  virtual absl::StatusOr<std::vector<CellResults>> ListResults(SweepId sweep) = 0;  // in grid order
  // Of the `limit` cells that RankCells ranks first, in grid order; of fewer while fewer have a mean. Takes no longer for a
  // large sweep than reading one number a cell.
  virtual absl::StatusOr<std::vector<CellResults>> BestResults(SweepId sweep, Goal goal, int64_t limit) = 0;
  // What every cell of the sweep has to show, in grid order, those without a result too. Quicker than ListResults.
  virtual absl::StatusOr<std::vector<CellObjectives>> ListObjectives(SweepId sweep) = 0;
  // The data set of a sweep; its name alone before the first trainer has read it.
  virtual absl::StatusOr<DatasetInfo> GetDataset(SweepId sweep) = 0;
  virtual absl::StatusOr<std::vector<ReportJobRecord>> ListReportJobs(SweepId sweep) = 0;
  virtual absl::StatusOr<AttemptCounts> CountAttempts(SweepId sweep) = 0;
  virtual absl::StatusOr<std::vector<RevisionRecord>> ListRevisions(SweepId sweep) = 0;
  // Every epoch of each job's accepted attempt, else of its running one, by job and epoch. An error of `take` ends it.
  virtual absl::Status ForEachEpoch(SweepId sweep,
                                    const std::function<absl::Status(JobId, const EpochMetrics&)>& take) = 0;
  // The evaluations of those of the jobs that have one, in their order.
  virtual absl::Status ForEachEvaluation(
      const std::vector<JobId>& jobs, const std::function<absl::Status(JobId, const Evaluation&)>& take) = 0;
  virtual absl::StatusOr<SampleImages> GetSampleImages(SweepId sweep, const std::vector<int32_t>& images) = 0;
  // By sweep: jobs that were over when it was analysed last.
  virtual absl::StatusOr<std::map<SweepId, int64_t>> AnalysedResults() = 0;

  virtual absl::StatusOr<std::vector<JobRecord>> ListJobs(SweepId sweep, std::optional<JobState> state,
                                                          int64_t limit) = 0;
  virtual absl::StatusOr<JobDetailRecord> GetJob(JobId job) = 0;
  virtual absl::StatusOr<std::vector<WorkerStatusRecord>> ListWorkers() = 0;

  virtual absl::StatusOr<std::vector<ModelRecord>> ListModels(SweepId sweep) = 0;  // best first
  virtual absl::StatusOr<ModelRecord> GetModel(JobId job) = 0;
  // SHA-256 of every file that a row refers to.
  virtual absl::StatusOr<std::set<std::string>> ReferencedArtifacts() = 0;

  // Runs one SELECT (or EXPLAIN, or a WITH … SELECT). INVALID_ARGUMENT with SQLite's message for anything
  // else, also for a row of more than 48 MiB; DEADLINE_EXCEEDED over the time limit. A result of more than 48 MiB is
  // truncated. Cannot write, attach files or load extensions.
  virtual absl::StatusOr<QueryResult> Query(const std::string& sql, const QueryLimits& limits) = 0;

  // Writes a consistent copy of the database to `file`, which does not exist yet, and syncs it. Without the WAL, and without
  // free pages. On error nothing is left of it. RESOURCE_EXHAUSTED: the disk is full.
  virtual absl::Status Backup(const std::string& file) = 0;
  virtual absl::StatusOr<StoreSizes> Sizes() = 0;
  // Reads the whole database.
  virtual absl::StatusOr<StoreExamination> Examine() = 0;
};

// SQLite's version, for --version.
std::string SqliteVersion();

}  // namespace gridsweep
