// SqliteStore: what a lease holder reports while its attempt is open.
#include "common/base/json.h"
#include "coordinator/store/epoch_row.h"
#include "coordinator/store/sqlite_writer.h"

namespace gridsweep {

absl::Status SqliteStore::ExplainFence(AttemptId attempt, const std::string& token, uint64_t seq) {
  GS_ASSIGN_OR_RETURN(Statement row,
                      db_->Query("SELECT state, stored_seq FROM attempts WHERE id = ?1 AND token = ?2",
                                 attempt.value, token));
  GS_ASSIGN_OR_RETURN(const bool found, row.Step());
  if (!found) return Aborted("attempt {} does not exist or has another token", attempt.value);
  if (row.Text(0) != "open") return Aborted("attempt {} is over: {}", attempt.value, row.Text(0));
  const uint64_t stored = static_cast<uint64_t>(row.Int(1));
  if (seq <= stored) return absl::OkStatus();
  return FailedPrecondition("attempt {} has events up to {} stored, so {} is expected next, not {}",
                            attempt.value, stored, stored + 1, seq);
}

absl::Status SqliteStore::RecordStarted(AttemptId attempt, const std::string& token, uint64_t seq,
                                        const DatasetInfo& dataset, const std::string& device,
                                        const std::string& environment, int64_t resumed_epoch) {
  return Atomically([&]() -> absl::Status {
    GS_RETURN_IF_ERROR(db_->Run(
        "UPDATE attempts SET device = ?4, environment = ?5, stored_seq = ?3, resumed_epoch = max(?6, 0) "
        "WHERE id = ?1 AND token = ?2 AND state = 'open' AND stored_seq = ?3 - 1",
        attempt.value, token, static_cast<int64_t>(seq), device, environment, resumed_epoch));
    if (db_->Changes() != 1) return ExplainFence(attempt, token, seq);
    GS_ASSIGN_OR_RETURN(const AttemptOrigin origin, OriginOf(attempt));
    return BindDataset(origin.sweep, dataset);
  });
}

absl::Status SqliteStore::BindDataset(SweepId sweep, const DatasetInfo& dataset) {
  if (dataset.digest.empty()) return InvalidArgument("data set '{}' came without a digest", dataset.name);
  // For all attempts of a sweep but the first there is nothing to write.
  {
    GS_ASSIGN_OR_RETURN(Statement bound,
                        db_->Query("SELECT 1 FROM sweeps WHERE id = ?1 AND dataset_digest = ?2", sweep.value,
                                   dataset.digest));
    GS_ASSIGN_OR_RETURN(const bool is_bound, bound.Step());
    if (is_bound) return absl::OkStatus();
  }
  GS_RETURN_IF_ERROR(db_->Run(
      "INSERT INTO datasets (digest, name, class_names, train_size, test_size) VALUES (?1, ?2, ?3, ?4, ?5) "
      "ON CONFLICT DO NOTHING",
      dataset.digest, dataset.name,
      Json(dataset.class_names).dump(-1, ' ', false, Json::error_handler_t::replace), dataset.train_size,
      dataset.test_size));
  GS_RETURN_IF_ERROR(
      db_->Run("UPDATE sweeps SET dataset_digest = coalesce(dataset_digest, ?2) WHERE id = ?1 AND "
               "coalesce(dataset_digest, ?2) = ?2",
               sweep.value, dataset.digest));
  if (db_->Changes() == 1) return absl::OkStatus();
  return FailedPrecondition(
      "sweep {} runs on data set '{}' of another content than this worker's (digest {}); give all workers "
      "the same "
      "files",
      sweep.value, dataset.name, dataset.digest);
}

absl::Status SqliteStore::RecordEpochs(AttemptId attempt, const std::string& token, uint64_t first_seq,
                                       std::span<const EpochMetrics> epochs) {
  if (epochs.empty()) return absl::OkStatus();
  const uint64_t last_seq = first_seq + epochs.size() - 1;
  double seconds = 0;
  int64_t shared = 0;
  for (const EpochMetrics& epoch : epochs) {
    seconds += Classify(epoch.seconds).value.value_or(0) / static_cast<double>(epoch.shared_by);
    shared += epoch.shared_by > 1 ? 1 : 0;
  }
  return Atomically([&]() -> absl::Status {
    GS_RETURN_IF_ERROR(
        db_->Run("UPDATE attempts SET stored_seq = ?4, epochs = epochs + ?5, seconds = seconds + ?6, "
                 "shared_epochs = shared_epochs + ?7 "
                 "WHERE id = ?1 AND token = ?2 AND state = 'open' AND stored_seq = ?3 - 1",
                 attempt.value, token, static_cast<int64_t>(first_seq), static_cast<int64_t>(last_seq),
                 static_cast<int64_t>(epochs.size()), seconds, shared));
    if (db_->Changes() != 1) return ExplainFence(attempt, token, last_seq);
    static const std::string sql = fmt::format(
        "INSERT INTO epochs (attempt, stored_us, {}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, "
        "?12, ?13, ?14)",
        kEpochColumns);
    const absl::Time now = clock_->Now().wall;
    for (const EpochMetrics& epoch : epochs) {
      GS_ASSIGN_OR_RETURN(Statement insert, db_->Query(sql, attempt.value, now));
      BindEpoch(insert, 3, epoch);
      GS_RETURN_IF_ERROR(insert.Run());
    }
    return absl::OkStatus();
  });
}

}  // namespace gridsweep
