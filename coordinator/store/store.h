// What is durable: sweeps, cells, jobs, attempts, epochs, results, workers. Two interfaces over one database
// file: Store writes, StoreReader reads beside it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "common/base/ids.h"
#include "common/base/status.h"
#include "common/job/job_spec.h"
#include "common/job/job_state.h"
#include "common/job/metrics.h"
#include "common/job/retry_policy.h"
#include "common/results/effects.h"
#include "common/sweep/grid.h"
#include "common/sweep/sweep_spec.h"

namespace gridsweep {

enum class SweepState { kActive, kPaused, kCancelled, kFinished };
std::string_view SweepStateName(SweepState state);

struct NewSweep {
  std::string client_key;
  std::string
      content_hash;  // of the canonical sweep: tells a repeated submit from another sweep under the same key
  std::string yaml;  // verbatim
  bool resume = false;  // rather the newest active or paused sweep of the same content, whatever its key
};

struct SubmittedSweep {
  SweepId id;
  bool created = false;
  int64_t jobs = 0;
};

struct WorkerRecord {
  std::string name;
  std::string session;
  std::string host;
  int64_t pid = 0;
  int64_t memory_bytes = 0;
  std::string devices_json;  // [{"name":"cpu","model":…,"memory_bytes":…,"slots":2}]
  int64_t slots = 0;
  std::string version;
  std::string libtorch_version;
};

// A session that a newer one of its worker's name has taken over from.
struct SupersededSession {
  WorkerId worker;
  std::string session;
};

// A job with a lease, as the queue needs it to decide.
struct OpenAttempt {
  AttemptId attempt;
  JobId job;
  SweepId sweep;
  WorkerId worker;
  std::string token;  // 32 hex digits
  int64_t number = 0;
  uint64_t stored_seq = 0;  // events up to here are stored
  RetryCounters counters;   // of the job
  int64_t bundle = 0;       // attempts of one bundle have the same number; 0: alone
  int64_t work = 0;         // which of its sweep's WorkClasses
  int64_t epochs = 0;       // that the job asks for
  // Epochs it is expected to add to those of the jobs of its group before it.
  double added_epochs = 0;
};

// Jobs of a sweep that are expected to cost the same.
struct WorkClass {
  SweepId sweep;
  int64_t work = 0;    // numbered in grid order
  std::string kind;    // equal kinds take equal time an epoch on one device: data set, batch size, model …
  int64_t epochs = 0;  // of each job
  double group_epochs = 0;    // expected to be trained for a whole group, if it is leased as a bundle
  int64_t pending = 0;        // jobs
  double pending_epochs = 0;  // expected to be trained for them, likewise
  int64_t schedulers = 0;     // of the sweep, and so the most jobs in a group; 0: unknown
};

// Mean duration of stored epochs; one that was trained for several jobs counts once.
struct EpochCost {
  SweepId sweep;
  int64_t work = 0;
  std::string device;
  bool first = false;  // of first epochs, or of all others
  double seconds = 0;
  double epochs = 0;
};

// What became of an attempt that was asked for by id.
struct AttemptStatus {
  OpenAttempt attempt;
  AttemptState state = AttemptState::kOpen;
  JobState job_state = JobState::kPending;
  bool is_newest = false;  // no later attempt of its job exists
};

struct ClaimRequest {
  WorkerId worker;
  int64_t limit = 0;                  // bundles, a job alone being one
  std::vector<std::string> datasets;  // only jobs on these
  absl::Time now;
  bool share = true;       // false: every job alone
  int64_t slots = 1;       // of all live workers: with fewer groups than these, groups are split
  int64_t max_jobs = 256;  // in all; at least one bundle is leased
  // Expected seconds of a class's bundle; infinite while unknown. None: all are equal.
  std::function<double(const WorkClass&)> cost = nullptr;
};

struct ClaimedJob {
  OpenAttempt attempt;
  std::string job_json;  // JobSpecToJson, with seed and the sweep's data set digest if known
  std::vector<std::string> checkpoints = {};  // SHA-256 of what it may go on from, the latest epoch first
};

// An attempt that a trainer's file belongs to.
struct ArtifactClaim {
  AttemptId attempt;
  std::string token;
  int64_t epoch = 0;  // after which it was written, or whose weights it holds
};

// That are kept of a job.
inline constexpr int64_t kKeptCheckpoints = 2;
// Jobs of a sweep whose models are kept: the best.
inline constexpr int64_t kKeptModels = 10;

// The end of an attempt and what it does to its job. `state` is not kOpen; `job_state` follows from the
// transition table.
struct AttemptEnd {
  AttemptState state = AttemptState::kFailed;
  JobState job_state = JobState::kPending;
  RetryCounters counters;
  absl::Time now;
  absl::Time not_before;    // with job_state kPending: earliest next lease
  std::string error;        // one line
  std::string stderr_tail;  // last lines
  bool retryable =
      true;  // with state kFailed and job_state kFailed: it failed too often, rather than for good
  bool retry_alone =
      false;              // with job_state kPending: lease the job alone from now on; so does state kFailed
  Evaluation evaluation;  // with kSucceeded
};

// Seeds for some cells of a sweep, beyond those of its file.
struct SeedRevision {
  std::vector<int64_t> cells;  // ids
  int64_t seeds = 0;           // that each is to have in all
  std::string reason;          // a sentence, kept
};
struct AddedSeeds {
  int64_t revision = 0;  // its number within the sweep; 0: every cell has as many already
  int64_t cells = 0;     // that got some
  int64_t jobs = 0;
};

// What the statistics say of a sweep at some moment.
struct SweepAnalysis {
  int64_t results = 0;            // jobs that were over
  std::vector<std::string> axes;  // names, which the effects refer to
  Effects effects;
  std::vector<Standing> standings;  // of the cells worth keeping them of
};

// An image of a data set's test set.
struct SampleImage {
  int64_t index = 0;
  int64_t height = 0;
  int64_t width = 0;
  std::string pixels;  // height × width bytes, row by row
};

// Why nothing can be stored.
struct WriteTrouble {
  std::string error;
  absl::Time since;
  // A sync has failed. The kernel may have dropped what it could not write, so every write fails from then on, and only
  // opening the files anew tells what is stored.
  bool needs_restart = false;
};

// The single writer. Not thread-safe: one thread owns it.
//
// Every method is one domain event and is atomic: on error nothing changed. Between BeginBatch and
// CommitBatch the methods' effects become durable together (group commit); outside a batch each is durable
// when it returns. Any method returns RESOURCE_EXHAUSTED when the disk is full, UNAVAILABLE on other I/O
// errors, DATA_LOSS if the file is corrupt.
class Store {
 public:
  virtual ~Store() = default;

  virtual absl::Status BeginBatch() = 0;
  // On error the whole batch is undone, as after RollbackBatch.
  virtual absl::Status CommitBatch() = 0;
  virtual void RollbackBatch() = 0;
  // Set from a write that the disk did not take until one that it took.
  virtual std::optional<WriteTrouble> Trouble() const = 0;

  // Stores a sweep with all cells and jobs of `grid`. If `client_key` is known: returns the stored sweep with
  // created = false when content_hash is equal, ALREADY_EXISTS when it differs. Before that, with `resume`: returns the
  // newest active or paused sweep of equal content_hash, if there is one.
  virtual absl::StatusOr<SubmittedSweep> SubmitSweep(const NewSweep& sweep, const SweepSpec& spec,
                                                     const Grid& grid, const Catalog& catalog,
                                                     absl::Time now) = 0;

  // active ⇄ paused. No-op in the wanted state. FAILED_PRECONDITION for a cancelled or finished sweep,
  // NOT_FOUND.
  virtual absl::Status SetPaused(SweepId sweep, bool paused, absl::Time now) = 0;
  // Ends the sweep's pending and running jobs and open attempts as cancelled. Returns the attempts that were
  // open. No-op for a cancelled or finished sweep.
  virtual absl::StatusOr<std::vector<AttemptId>> CancelSweep(SweepId sweep, absl::Time now) = 0;
  // Makes failed and cancelled jobs pending with zeroed counters and the sweep active. Returns how many.
  virtual absl::StatusOr<int64_t> RetryJobs(SweepId sweep, absl::Time now) = 0;

  // Adds jobs to those of the cells that have fewer than `seeds`, and makes a finished sweep active. All cells of a sweep get
  // the same further seeds, so that their jobs stay paired: those that follow the greatest of its file. Nothing happens if every
  // cell has as many. FAILED_PRECONDITION for a cancelled sweep, INVALID_ARGUMENT for a cell of another one.
  virtual absl::StatusOr<AddedSeeds> AddSeeds(SweepId sweep, const SeedRevision& revision,
                                              absl::Time now) = 0;
  // Replaces what was stored before.
  virtual absl::Status StoreAnalysis(SweepId sweep, const SweepAnalysis& analysis, absl::Time now) = 0;
  // Whether a data set is known, and none of its images.
  virtual absl::StatusOr<bool> WantsSampleImages(const std::string& digest) = 0;
  // Keeps those that are not known yet. FAILED_PRECONDITION if the data set is not known.
  virtual absl::Status RecordSampleImages(const std::string& digest,
                                          const std::vector<SampleImage>& images) = 0;

  // Inserts or updates by name. Returns its id. Another session than the stored one supersedes that.
  virtual absl::StatusOr<WorkerId> UpsertWorker(const WorkerRecord& worker, absl::Time now) = 0;
  // Of the last days.
  virtual absl::StatusOr<std::vector<SupersededSession>> SupersededSessions() = 0;
  virtual absl::Status TouchWorkers(const std::vector<WorkerId>& workers, absl::Time now) = 0;
  // It ended in order. UpsertWorker takes that back.
  virtual absl::Status MarkWorkerLeft(WorkerId worker, absl::Time now) = 0;

  // Leases up to `limit` bundles of pending jobs of active sweeps whose not_before has passed (one further
  // ahead than `max_delay` of the retry policy counts as passed: the clock was set back): oldest sweep first,
  // then the costliest class, unknown ones first of all, then grid order. Makes an attempt with a fresh token
  // for each job.
  //
  // A bundle is a whole group of jobs that are equal but for the scheduler, at most kMaxBundle of them, without
  // those that are to be leased alone. When fewer bundles than `slots` can be leased, they are split: at most
  // ceil(jobs / slots) a bundle, so that no slot idles while jobs wait.
  virtual absl::StatusOr<std::vector<ClaimedJob>> ClaimJobs(const ClaimRequest& request) = 0;

  // The writes below are fenced: attempt and token must match an open attempt in the same statement, else
  // ABORTED.

  // Stores what the trainer found, once. FAILED_PRECONDITION if the sweep is bound to data of another digest.
  // `resumed_epoch`: of the checkpoint that it went on from; 0: from scratch.
  virtual absl::Status RecordStarted(AttemptId attempt, const std::string& token, uint64_t seq,
                                     const DatasetInfo& dataset, const std::string& device,
                                     const std::string& environment, int64_t resumed_epoch) = 0;
  // Stores epochs in a row, the first being event `first_seq`: all or none. OK if all are stored already.
  virtual absl::Status RecordEpochs(AttemptId attempt, const std::string& token, uint64_t first_seq,
                                    std::span<const EpochMetrics> epochs) = 0;
  // Ends the attempt, moves its job, stores its evaluation; with a result the attempt becomes the job's
  // accepted one and the objective is computed from its stored epochs. Finishes the sweep with its last job.
  // `seq` 0: not from an event. A job that is over loses its checkpoints; so does one whose attempt failed without an epoch
  // beyond the checkpoint that it went on from: the next attempt starts from scratch.
  virtual absl::Status EndAttempt(AttemptId attempt, const std::string& token, uint64_t seq,
                                  const AttemptEnd& end) = 0;
  // Reopens an attempt that ended as lost, if it is its job's newest and the job is pending; else ABORTED.
  // Takes back one loss from the counters.
  virtual absl::Status ReviveAttempt(AttemptId attempt, const std::string& token, absl::Time now) = 0;

  // Whether a checkpoint is news to one of the claims. ABORTED if none of them is of an open attempt.
  virtual absl::StatusOr<bool> WantsCheckpoint(std::span<const ArtifactClaim> claims) = 0;
  // Records it for the claims of open attempts, and forgets a job's older ones. ABORTED if there is no such claim. The file
  // is to be durable by then.
  virtual absl::Status RecordCheckpoint(std::span<const ArtifactClaim> claims, const std::string& sha256,
                                        int64_t bytes, absl::Time now) = 0;
  // Whether the attempt's model is one to keep, and is not known yet. ABORTED if it is not its job's accepted attempt.
  virtual absl::StatusOr<bool> WantsModel(const ArtifactClaim& claim) = 0;
  // Likewise, and forgets those of the sweep's jobs that are no longer among the best.
  virtual absl::Status RecordModel(const ArtifactClaim& claim, const std::string& sha256, int64_t bytes,
                                   absl::Time now) = 0;

  virtual absl::StatusOr<std::vector<OpenAttempt>> OpenAttempts() = 0;
  // Of active and paused sweeps, by sweep and class.
  virtual absl::StatusOr<std::vector<WorkClass>> WorkClasses() = 0;
  virtual absl::StatusOr<std::set<SweepId>> ActiveSweeps() = 0;
  // Of the newest attempts of active and paused sweeps.
  virtual absl::StatusOr<std::vector<EpochCost>> EpochCosts() = 0;
  // NOT_FOUND; ABORTED if the token is not the attempt's.
  virtual absl::StatusOr<AttemptStatus> GetAttempt(AttemptId attempt, const std::string& token) = 0;
  // Earliest not_before of pending jobs of active sweeps that is later than `now`, and whether any are
  // pending at all.
  virtual absl::StatusOr<bool> HasPendingJobs() = 0;
};

}  // namespace gridsweep
