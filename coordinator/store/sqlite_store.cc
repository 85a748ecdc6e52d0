#include "coordinator/store/sqlite_store.h"

#include <sqlite3.h>

#include <utility>

#include "common/base/log.h"
#include "common/base/random.h"
#include "coordinator/store/sqlite_writer.h"

namespace gridsweep {
namespace {

// 2 MiB of WAL. A checkpoint holds up every call that waits for a commit: with eight times as many pages it takes 25 to 50 ms, and
// copies hardly fewer, as the pages written most are those of rows that are new.
constexpr int kCheckpointPages = 500;

constexpr int kTokenBytes = 16;

bool IsFsyncError(sqlite3* db) {
  const int code = sqlite3_extended_errcode(db);
  return code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC;
}

// Of the disk rather than of what was to be written.
bool IsTrouble(const absl::Status& status) {
  return absl::IsResourceExhausted(status) || absl::IsUnavailable(status) || absl::IsDataLoss(status);
}

int RememberWalPages(void* pages, sqlite3* /*db*/, const char* /*schema*/, int count) {
  *static_cast<int*>(pages) = count;
  return SQLITE_OK;
}

}  // namespace

SqliteStore::SqliteStore(std::unique_ptr<FileLock> lock, std::unique_ptr<Db> db, const StoreOptions& options)
    : lock_(std::move(lock)),
      db_(std::move(db)),
      clock_(options.clock),
      make_token_(options.make_token ? options.make_token : [] { return RandomHex(kTokenBytes); }) {
  sqlite3_wal_hook(db_->handle(), RememberWalPages, &wal_pages_);
}

SqliteStore::~SqliteStore() {
  if (in_batch_) RollbackBatch();
  // Fails only if a reader is in the way or the disk is full; the WAL stays and the next start reads it.
  const int rc =
      sqlite3_wal_checkpoint_v2(db_->handle(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr);
  if (rc != SQLITE_OK) {
    Log(LogLevel::kWarning, "checkpoint_failed",
        {{"error", Message(SqliteError(db_->handle(), rc, "at close"))}});
  }
}

absl::Status SqliteStore::BeginBatch() {
  GS_RETURN_IF_ERROR(fsync_error_);
  if (in_batch_) return Internal("a batch is open already");
  GS_RETURN_IF_ERROR(Noted(db_->Run("BEGIN IMMEDIATE")));
  in_batch_ = true;
  batch_error_ = absl::OkStatus();
  return absl::OkStatus();
}

absl::Status SqliteStore::CommitBatch() {
  if (!in_batch_) return Internal("no batch is open");
  in_batch_ = false;
  if (!batch_error_.ok()) {
    RollbackBatch();  // of what is left when a step could not be taken back
    return batch_error_;
  }
  return Commit();
}

void SqliteStore::RollbackBatch() {
  in_batch_ = false;
  // SQLite has rolled back already when there is no transaction left; otherwise ROLLBACK cannot fail.
  if (db_->InTransaction()) db_->Run("ROLLBACK").IgnoreError();
}

absl::Status SqliteStore::Atomically(const std::function<absl::Status()>& body) {
  GS_RETURN_IF_ERROR(fsync_error_);
  return Noted(in_batch_ ? InSavepoint(body) : InTransaction(body));
}

absl::Status SqliteStore::Noted(absl::Status status) {
  if (!IsTrouble(status)) return status;
  if (!trouble_) trouble_ = {Message(status), clock_->Now().wall, false};
  trouble_->needs_restart = !fsync_error_.ok();
  changes_ =
      db_->TotalChanges();  // what was changed before, and taken back, is no sign that the disk takes writes again
  return status;
}

absl::Status SqliteStore::InTransaction(const std::function<absl::Status()>& body) {
  GS_RETURN_IF_ERROR(db_->Run("BEGIN IMMEDIATE"));
  const absl::Status status = body();
  if (status.ok()) return Commit();
  RollbackBatch();
  return status;
}

absl::Status SqliteStore::InSavepoint(const std::function<absl::Status()>& body) {
  GS_RETURN_IF_ERROR(batch_error_);
  GS_RETURN_IF_ERROR(db_->Run("SAVEPOINT step"));
  absl::Status status = body();
  if (status.ok()) status = db_->Run("RELEASE step");
  if (status.ok()) return status;
  if (!db_->InTransaction()) {
    batch_error_ = Annotate(status, "the batch was rolled back");
    return batch_error_;
  }
  absl::Status undone = db_->Run("ROLLBACK TO step");
  if (undone.ok()) undone = db_->Run("RELEASE step");
  if (!undone.ok()) batch_error_ = undone;
  return status;
}

absl::Status SqliteStore::Commit() {
  const absl::Status status = db_->Run("COMMIT");
  if (status.ok()) {
    if (db_->TotalChanges() != std::exchange(changes_, db_->TotalChanges())) trouble_ = std::nullopt;
    CheckpointIfDue();
    return status;
  }
  if (IsFsyncError(db_->handle())) fsync_error_ = Unavailable("{}; restart the coordinator", Message(status));
  if (db_->InTransaction()) db_->Run("ROLLBACK").IgnoreError();
  return Noted(status);
}

void SqliteStore::CheckpointIfDue() {
  // The WAL starts over after a complete checkpoint; readers may delay that, then try again as it grows.
  if (wal_pages_ < checkpointed_pages_) checkpointed_pages_ = 0;
  if (wal_pages_ - checkpointed_pages_ < kCheckpointPages) return;
  checkpointed_pages_ = wal_pages_;
  // Never waits for readers. What is committed is safe in the WAL, so a failure costs only space.
  const int rc =
      sqlite3_wal_checkpoint_v2(db_->handle(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  if (rc == SQLITE_OK) return;
  const absl::Status error = SqliteError(db_->handle(), rc, "checkpoint");
  Log(LogLevel::kWarning, "checkpoint_failed", {{"error", Message(error)}});
  if (!IsFsyncError(db_->handle())) return;
  fsync_error_ = Unavailable("{}; restart the coordinator", Message(error));
  Noted(fsync_error_).IgnoreError();
}

std::string_view SweepStateName(SweepState state) {
  switch (state) {
    case SweepState::kActive:
      return "active";
    case SweepState::kPaused:
      return "paused";
    case SweepState::kCancelled:
      return "cancelled";
    case SweepState::kFinished:
      return "finished";
  }
  return "unknown";
}

absl::Status PublishAddress(Store& store, const std::string& address, bool secure) {
  auto* sqlite_store = dynamic_cast<SqliteStore*>(&store);
  if (sqlite_store == nullptr) return absl::OkStatus();
  return sqlite_store->PublishAddress(address, secure);
}

std::string SqliteVersion() {
  return sqlite3_libversion();
}

}  // namespace gridsweep
