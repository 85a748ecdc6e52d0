// A store that tells a witness of every write it has taken.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "tests/simulation/witness.h"
#include "tests/support/forwarding_store.h"

namespace gridsweep {

// Passes everything on, unchanged. Neither is owned; both must outlive it. Not thread-safe.
class WitnessedStore : public ForwardingStore {
 public:
  WitnessedStore(Store* store, Witness* witness) : ForwardingStore(store), witness_(witness) {}

  absl::Status BeginBatch() override;
  absl::Status CommitBatch() override;
  void RollbackBatch() override;
  absl::StatusOr<std::vector<AttemptId>> CancelSweep(SweepId sweep, absl::Time now) override;
  absl::StatusOr<WorkerId> UpsertWorker(const WorkerRecord& worker, absl::Time now) override;
  absl::StatusOr<std::vector<ClaimedJob>> ClaimJobs(const ClaimRequest& request) override;
  absl::Status RecordStarted(AttemptId attempt, const std::string& token, uint64_t seq,
                             const DatasetInfo& dataset, const std::string& device,
                             const std::string& environment, int64_t resumed_epoch) override;
  absl::Status RecordEpochs(AttemptId attempt, const std::string& token, uint64_t first_seq,
                            std::span<const EpochMetrics> epochs) override;
  absl::Status EndAttempt(AttemptId attempt, const std::string& token, uint64_t seq,
                          const AttemptEnd& end) override;
  absl::Status ReviveAttempt(AttemptId attempt, const std::string& token, absl::Time now) override;
  absl::Status RecordCheckpoint(std::span<const ArtifactClaim> claims, const std::string& sha256,
                                int64_t bytes, absl::Time now) override;
  absl::Status RecordModel(const ArtifactClaim& claim, const std::string& sha256, int64_t bytes,
                           absl::Time now) override;

 private:
  Witness* const witness_;
};

}  // namespace gridsweep
