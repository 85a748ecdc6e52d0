// A store that tells a witness of every write it has taken.
#pragma once

#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "coordinator/store/store.h"
#include "tests/simulation/witness.h"

namespace gridsweep {

// Passes everything on, unchanged. Neither is owned; both must outlive it. Not thread-safe.
class WitnessedStore : public Store {
 public:
  WitnessedStore(Store* store, Witness* witness) : store_(store), witness_(witness) {}

  absl::Status BeginBatch() override;
  absl::Status CommitBatch() override;
  void RollbackBatch() override;
  std::optional<WriteTrouble> Trouble() const override { return store_->Trouble(); }

  absl::StatusOr<SubmittedSweep> SubmitSweep(const NewSweep& sweep, const SweepSpec& spec, const Grid& grid,
                                             const Catalog& catalog, absl::Time now) override {
    return store_->SubmitSweep(sweep, spec, grid, catalog, now);
  }
  absl::Status SetPaused(SweepId sweep, bool paused, absl::Time now) override {
    return store_->SetPaused(sweep, paused, now);
  }
  absl::StatusOr<std::vector<AttemptId>> CancelSweep(SweepId sweep, absl::Time now) override;
  absl::StatusOr<int64_t> RetryJobs(SweepId sweep, absl::Time now) override {
    return store_->RetryJobs(sweep, now);
  }

  absl::StatusOr<WorkerId> UpsertWorker(const WorkerRecord& worker, absl::Time now) override;
  absl::StatusOr<std::vector<SupersededSession>> SupersededSessions() override {
    return store_->SupersededSessions();
  }
  absl::Status TouchWorkers(const std::vector<WorkerId>& workers, absl::Time now) override {
    return store_->TouchWorkers(workers, now);
  }
  absl::Status MarkWorkerLeft(WorkerId worker, absl::Time now) override {
    return store_->MarkWorkerLeft(worker, now);
  }

  absl::StatusOr<std::vector<ClaimedJob>> ClaimJobs(const ClaimRequest& request) override;
  absl::Status RecordStarted(AttemptId attempt, const std::string& token, uint64_t seq,
                             const DatasetInfo& dataset, const std::string& device,
                             const std::string& environment, int64_t resumed_epoch) override;
  absl::Status RecordEpochs(AttemptId attempt, const std::string& token, uint64_t first_seq,
                            std::span<const EpochMetrics> epochs) override;
  absl::Status EndAttempt(AttemptId attempt, const std::string& token, uint64_t seq,
                          const AttemptEnd& end) override;
  absl::Status ReviveAttempt(AttemptId attempt, const std::string& token, absl::Time now) override;

  absl::StatusOr<bool> WantsCheckpoint(std::span<const ArtifactClaim> claims) override {
    return store_->WantsCheckpoint(claims);
  }
  absl::Status RecordCheckpoint(std::span<const ArtifactClaim> claims, const std::string& sha256,
                                int64_t bytes, absl::Time now) override;
  absl::StatusOr<bool> WantsModel(const ArtifactClaim& claim) override { return store_->WantsModel(claim); }
  absl::Status RecordModel(const ArtifactClaim& claim, const std::string& sha256, int64_t bytes,
                           absl::Time now) override;

  absl::StatusOr<std::vector<OpenAttempt>> OpenAttempts() override { return store_->OpenAttempts(); }
  absl::StatusOr<std::vector<WorkClass>> WorkClasses() override { return store_->WorkClasses(); }
  absl::StatusOr<std::set<SweepId>> ActiveSweeps() override { return store_->ActiveSweeps(); }
  absl::StatusOr<std::vector<EpochCost>> EpochCosts() override { return store_->EpochCosts(); }
  absl::StatusOr<AttemptStatus> GetAttempt(AttemptId attempt, const std::string& token) override {
    return store_->GetAttempt(attempt, token);
  }
  absl::StatusOr<bool> HasPendingJobs() override { return store_->HasPendingJobs(); }

 private:
  Store* const store_;
  Witness* const witness_;
};

}  // namespace gridsweep
