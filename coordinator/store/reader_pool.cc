#include "coordinator/store/reader_pool.h"

namespace gridsweep {

absl::StatusOr<std::unique_ptr<Db>> ReaderPool::Take() {
  {
    std::unique_lock lock(mutex_);
    returned_.wait(lock, [this] { return in_use_ < limit_; });
    ++in_use_;
    if (!idle_.empty()) {
      std::unique_ptr<Db> db = std::move(idle_.back());
      idle_.pop_back();
      return db;
    }
  }
  absl::StatusOr<std::unique_ptr<Db>> db = open_();
  if (!db.ok()) Return(nullptr);
  return db;
}

void ReaderPool::Return(std::unique_ptr<Db> db) {
  {
    const std::lock_guard lock(mutex_);
    --in_use_;
    if (db != nullptr) idle_.push_back(std::move(db));
  }
  returned_.notify_one();
}

absl::Status ReaderPool::Read(const std::function<absl::Status(Db&)>& body) {
  GS_ASSIGN_OR_RETURN(std::unique_ptr<Db> db, Take());
  absl::Status status;
  {
    const absl::StatusOr<ReadTransaction> transaction = ReadTransaction::Begin(*db);
    status = transaction.ok() ? body(*db) : transaction.status();
  }
  Return(std::move(db));
  return status;
}

}  // namespace gridsweep
