#include "tests/simulation/witnessed_store.h"

namespace gridsweep {

absl::Status WitnessedStore::BeginBatch() {
  absl::Status status = ForwardingStore::BeginBatch();
  if (status.ok()) witness_->BatchBegins();
  return status;
}

absl::Status WitnessedStore::CommitBatch() {
  absl::Status status = ForwardingStore::CommitBatch();
  status.ok() ? witness_->BatchCommitted() : witness_->BatchLost();
  return status;
}

void WitnessedStore::RollbackBatch() {
  ForwardingStore::RollbackBatch();
  witness_->BatchLost();
}

absl::StatusOr<std::vector<AttemptId>> WitnessedStore::CancelSweep(SweepId sweep, absl::Time now) {
  auto ended = ForwardingStore::CancelSweep(sweep, now);
  if (ended.ok()) witness_->Cancelled(sweep, *ended);
  return ended;
}

absl::StatusOr<WorkerId> WitnessedStore::UpsertWorker(const WorkerRecord& worker, absl::Time now) {
  const auto id = ForwardingStore::UpsertWorker(worker, now);
  if (id.ok()) witness_->Registered(worker, *id);
  return id;
}

absl::StatusOr<std::vector<ClaimedJob>> WitnessedStore::ClaimJobs(const ClaimRequest& request) {
  auto claimed = ForwardingStore::ClaimJobs(request);
  if (claimed.ok()) witness_->Claimed(request.worker, *claimed);
  return claimed;
}

absl::Status WitnessedStore::RecordStarted(AttemptId attempt, const std::string& token, uint64_t seq,
                                           const DatasetInfo& dataset, const std::string& device,
                                           const std::string& environment, int64_t resumed_epoch) {
  absl::Status status =
      ForwardingStore::RecordStarted(attempt, token, seq, dataset, device, environment, resumed_epoch);
  if (status.ok()) witness_->Reported("the start", attempt, token);
  return status;
}

absl::Status WitnessedStore::RecordEpochs(AttemptId attempt, const std::string& token, uint64_t first_seq,
                                          std::span<const EpochMetrics> epochs) {
  absl::Status status = ForwardingStore::RecordEpochs(attempt, token, first_seq, epochs);
  if (status.ok() && !epochs.empty()) witness_->Reported("an epoch", attempt, token);
  return status;
}

absl::Status WitnessedStore::EndAttempt(AttemptId attempt, const std::string& token, uint64_t seq,
                                        const AttemptEnd& end) {
  absl::Status status = ForwardingStore::EndAttempt(attempt, token, seq, end);
  if (status.ok()) witness_->Ended(attempt, token, end);
  return status;
}

absl::Status WitnessedStore::ReviveAttempt(AttemptId attempt, const std::string& token, absl::Time now) {
  absl::Status status = ForwardingStore::ReviveAttempt(attempt, token, now);
  if (status.ok()) witness_->Revived(attempt, token);
  return status;
}

absl::Status WitnessedStore::RecordCheckpoint(std::span<const ArtifactClaim> claims,
                                              const std::string& sha256, int64_t bytes, absl::Time now) {
  absl::Status status = ForwardingStore::RecordCheckpoint(claims, sha256, bytes, now);
  if (status.ok()) witness_->RecordedCheckpoint(claims, sha256);
  return status;
}

absl::Status WitnessedStore::RecordModel(const ArtifactClaim& claim, const std::string& sha256, int64_t bytes,
                                         absl::Time now) {
  absl::Status status = ForwardingStore::RecordModel(claim, sha256, bytes, now);
  if (status.ok()) witness_->RecordedModel(claim, sha256);
  return status;
}

}  // namespace gridsweep
