// A store that passes everything on to another one, for tests that change or watch some of it.
#pragma once

#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "coordinator/store/store.h"

namespace gridsweep {

class ForwardingStore : public Store {
 public:
  // Not owned; must outlive it.
  explicit ForwardingStore(Store* store) : store_(store) {}

  absl::Status BeginBatch() override { return store_->BeginBatch(); }
  absl::Status CommitBatch() override { return store_->CommitBatch(); }
  std::optional<WriteTrouble> Trouble() const override { return store_->Trouble(); }
  void RollbackBatch() override { store_->RollbackBatch(); }
  absl::StatusOr<SubmittedSweep> SubmitSweep(const NewSweep& sweep, const SweepSpec& spec, const Grid& grid,
                                             const Catalog& catalog, absl::Time now) override {
    return store_->SubmitSweep(sweep, spec, grid, catalog, now);
  }
  absl::Status SetPaused(SweepId sweep, bool paused, absl::Time now) override {
    return store_->SetPaused(sweep, paused, now);
  }
  absl::StatusOr<std::vector<AttemptId>> CancelSweep(SweepId sweep, absl::Time now) override {
    return store_->CancelSweep(sweep, now);
  }
  absl::StatusOr<int64_t> RetryJobs(SweepId sweep, absl::Time now) override {
    return store_->RetryJobs(sweep, now);
  }
  absl::StatusOr<AddedSeeds> AddSeeds(SweepId sweep, const SeedRevision& revision, absl::Time now) override {
    return store_->AddSeeds(sweep, revision, now);
  }
  absl::Status StoreAnalysis(SweepId sweep, const SweepAnalysis& analysis, absl::Time now) override {
    return store_->StoreAnalysis(sweep, analysis, now);
  }
  absl::StatusOr<bool> WantsSampleImages(const std::string& digest) override {
    return store_->WantsSampleImages(digest);
  }
  absl::Status RecordSampleImages(const std::string& digest,
                                  const std::vector<SampleImage>& images) override {
    return store_->RecordSampleImages(digest, images);
  }
  absl::StatusOr<WorkerId> UpsertWorker(const WorkerRecord& worker, absl::Time now) override {
    return store_->UpsertWorker(worker, now);
  }
  absl::StatusOr<std::vector<SupersededSession>> SupersededSessions() override {
    return store_->SupersededSessions();
  }
  absl::Status TouchWorkers(const std::vector<WorkerId>& workers, absl::Time now) override {
    return store_->TouchWorkers(workers, now);
  }
  absl::Status MarkWorkerLeft(WorkerId worker, absl::Time now) override {
    return store_->MarkWorkerLeft(worker, now);
  }
  absl::StatusOr<std::vector<ClaimedJob>> ClaimJobs(const ClaimRequest& request) override {
    return store_->ClaimJobs(request);
  }
  absl::Status RecordStarted(AttemptId attempt, const std::string& token, uint64_t seq,
                             const DatasetInfo& dataset, const std::string& device,
                             const std::string& environment, int64_t resumed_epoch) override {
    return store_->RecordStarted(attempt, token, seq, dataset, device, environment, resumed_epoch);
  }
  absl::Status RecordEpochs(AttemptId attempt, const std::string& token, uint64_t first_seq,
                            std::span<const EpochMetrics> epochs) override {
    return store_->RecordEpochs(attempt, token, first_seq, epochs);
  }
  absl::Status EndAttempt(AttemptId attempt, const std::string& token, uint64_t seq,
                          const AttemptEnd& end) override {
    return store_->EndAttempt(attempt, token, seq, end);
  }
  absl::Status ReviveAttempt(AttemptId attempt, const std::string& token, absl::Time now) override {
    return store_->ReviveAttempt(attempt, token, now);
  }
  absl::StatusOr<bool> WantsCheckpoint(std::span<const ArtifactClaim> claims) override {
    return store_->WantsCheckpoint(claims);
  }
  absl::Status RecordCheckpoint(std::span<const ArtifactClaim> claims, const std::string& sha256,
                                int64_t bytes, absl::Time now) override {
    return store_->RecordCheckpoint(claims, sha256, bytes, now);
  }
  absl::StatusOr<bool> WantsModel(const ArtifactClaim& claim) override { return store_->WantsModel(claim); }
  absl::Status RecordModel(const ArtifactClaim& claim, const std::string& sha256, int64_t bytes,
                           absl::Time now) override {
    return store_->RecordModel(claim, sha256, bytes, now);
  }
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
};

}  // namespace gridsweep
