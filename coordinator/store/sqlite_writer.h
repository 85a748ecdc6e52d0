// The Store on one read-write connection.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "coordinator/store/file_lock.h"
#include "coordinator/store/sqlite_db.h"
#include "coordinator/store/sqlite_store.h"
#include "coordinator/store/store.h"

namespace gridsweep {

// Not thread-safe, as Store says.
class SqliteStore : public Store {
 public:
  // `db` has its schema and is the only read-write connection to its file.
  SqliteStore(std::unique_ptr<FileLock> lock, std::unique_ptr<Db> db, const StoreOptions& options);
  // Rolls back an open batch, moves the WAL into the database and releases the lock.
  ~SqliteStore() override;

  absl::Status BeginBatch() override;
  absl::Status CommitBatch() override;
  void RollbackBatch() override;
  std::optional<WriteTrouble> Trouble() const override { return trouble_; }

  absl::StatusOr<SubmittedSweep> SubmitSweep(const NewSweep& sweep, const SweepSpec& spec, const Grid& grid,
                                             const Catalog& catalog, absl::Time now) override;
  absl::Status SetPaused(SweepId sweep, bool paused, absl::Time now) override;
  absl::StatusOr<std::vector<AttemptId>> CancelSweep(SweepId sweep, absl::Time now) override;
  absl::StatusOr<int64_t> RetryJobs(SweepId sweep, absl::Time now) override;
  absl::StatusOr<AddedSeeds> AddSeeds(SweepId sweep, const SeedRevision& revision, absl::Time now) override;
  absl::Status StoreAnalysis(SweepId sweep, const SweepAnalysis& analysis, absl::Time now) override;
  absl::StatusOr<bool> WantsSampleImages(const std::string& digest) override;
  absl::Status RecordSampleImages(const std::string& digest, const std::vector<SampleImage>& images) override;

  absl::StatusOr<WorkerId> UpsertWorker(const WorkerRecord& worker, absl::Time now) override;
  absl::StatusOr<std::vector<SupersededSession>> SupersededSessions() override;
  absl::Status TouchWorkers(const std::vector<WorkerId>& workers, absl::Time now) override;
  absl::Status MarkWorkerLeft(WorkerId worker, absl::Time now) override;

  absl::StatusOr<std::vector<ClaimedJob>> ClaimJobs(const ClaimRequest& request) override;
  absl::Status RecordStarted(AttemptId attempt, const std::string& token, uint64_t seq,
                             const DatasetInfo& dataset, const std::string& device,
                             const std::string& environment, int64_t resumed_epoch) override;
  absl::Status RecordEpochs(AttemptId attempt, const std::string& token, uint64_t first_seq,
                            std::span<const EpochMetrics> epochs) override;
  absl::Status EndAttempt(AttemptId attempt, const std::string& token, uint64_t seq,
                          const AttemptEnd& end) override;
  absl::Status ReviveAttempt(AttemptId attempt, const std::string& token, absl::Time now) override;

  absl::StatusOr<bool> WantsCheckpoint(std::span<const ArtifactClaim> claims) override;
  absl::Status RecordCheckpoint(std::span<const ArtifactClaim> claims, const std::string& sha256,
                                int64_t bytes, absl::Time now) override;
  absl::StatusOr<bool> WantsModel(const ArtifactClaim& claim) override;
  absl::Status RecordModel(const ArtifactClaim& claim, const std::string& sha256, int64_t bytes,
                           absl::Time now) override;

  absl::StatusOr<std::vector<OpenAttempt>> OpenAttempts() override;
  absl::StatusOr<std::vector<WorkClass>> WorkClasses() override;
  absl::StatusOr<std::set<SweepId>> ActiveSweeps() override;
  absl::StatusOr<std::vector<EpochCost>> EpochCosts() override;
  absl::StatusOr<AttemptStatus> GetAttempt(AttemptId attempt, const std::string& token) override;
  absl::StatusOr<bool> HasPendingJobs() override;

  absl::Status PublishAddress(const std::string& address, bool secure) {
    return lock_->PublishAddress(address, secure);
  }

 private:
  // Runs `body` as one atomic step: in a savepoint within a batch, else in a transaction of its own. On error
  // nothing of it remains.
  absl::Status Atomically(const std::function<absl::Status()>& body);
  absl::Status InTransaction(const std::function<absl::Status()>& body);
  absl::Status InSavepoint(const std::function<absl::Status()>& body);
  // COMMIT; on error the transaction is rolled back.
  absl::Status Commit();
  // Passes `status` on, and remembers what it says of the disk.
  absl::Status Noted(absl::Status status);
  // Moves the WAL into the database when it has grown enough.
  void CheckpointIfDue();

  absl::Status InsertCells(SweepId sweep, const SweepSpec& spec, const Grid& grid, const Catalog& catalog);
  absl::Status CancelJobs(SweepId sweep, absl::Time now);
  absl::Status InsertSeeds(SweepId sweep, const SeedRevision& revision, AddedSeeds& added);
  absl::Status ReplaceAnalysis(SweepId sweep, const SweepAnalysis& analysis, absl::Time now);
  absl::StatusOr<SweepState> GetSweepState(SweepId sweep);
  absl::Status FinishSweepIfDone(SweepId sweep, absl::Time now);

  // The classes with pending jobs that the request may be given, in the order in which they are leased.
  absl::StatusOr<std::vector<WorkClass>> ClaimableWork(const ClaimRequest& request);
  // Pending jobs as they are to be leased together, at most about `request.limit` times.
  absl::StatusOr<std::vector<std::vector<JobId>>> PendingBundles(const ClaimRequest& request);
  absl::StatusOr<ClaimedJob> ReadClaim(JobId job, const ClaimRequest& request);
  // Makes the attempt and its id, and its job running.
  absl::Status Lease(OpenAttempt& attempt, absl::Time now);
  // Why a fenced write changed no row: OK if event `seq` is stored already (then there is nothing to do),
  // else ABORTED or FAILED_PRECONDITION.
  absl::Status ExplainFence(AttemptId attempt, const std::string& token, uint64_t seq);
  struct AttemptOrigin {
    JobId job;
    SweepId sweep;
    WorkerId worker;
  };
  // Of an attempt that is known to exist.
  absl::StatusOr<AttemptOrigin> OriginOf(AttemptId attempt);
  absl::Status BindDataset(SweepId sweep, const DatasetInfo& dataset);
  absl::Status ReleaseJob(AttemptId attempt, JobId job, const AttemptEnd& end);
  // Says why the job failed for good.
  absl::Status StoreVerdict(JobId job, const AttemptEnd& end);
  absl::Status AcceptResult(AttemptId attempt, const AttemptOrigin& origin, const AttemptEnd& end);
  absl::Status StoreEvaluation(AttemptId attempt, const Evaluation& evaluation);
  absl::Status UpdateCellStatistics(JobId job, Goal goal);
  absl::StatusOr<std::vector<std::string>> CheckpointsOf(JobId job);
  // Those that an attempt went on from and failed before it had trained an epoch.
  absl::Status DropUselessCheckpoints(AttemptId attempt, JobId job);

  const std::unique_ptr<FileLock> lock_;
  const std::unique_ptr<Db> db_;
  const Clock* const clock_;  // not owned
  const std::function<std::string()> make_token_;

  bool in_batch_ = false;
  // An error after which SQLite rolled the whole batch back: everything fails with it until the batch ends.
  absl::Status batch_error_;
  // Set once an fsync has failed: the kernel may have dropped the pages, so only a restart (which reads the
  // WAL as it is on disk) can tell what is stored.
  absl::Status fsync_error_;
  std::optional<WriteTrouble> trouble_;
  int64_t changes_ = 0;         // rows changed up to the last commit or trouble
  int wal_pages_ = 0;           // by SQLite's report of the last commit
  int checkpointed_pages_ = 0;  // wal_pages_ at the last checkpoint
};

}  // namespace gridsweep
