// A few read-only connections that many threads share.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "coordinator/store/sqlite_db.h"

namespace gridsweep {

// Thread-safe. Connections are opened when first needed and kept.
class ReaderPool {
 public:
  // `open` makes a connection.
  using Opener = std::function<absl::StatusOr<std::unique_ptr<Db>>()>;
  ReaderPool(Opener open, int limit) : open_(std::move(open)), limit_(limit) {}

  // Runs `body` on a connection nobody else uses, in one read transaction. Waits while `limit` connections
  // are in use.
  absl::Status Read(const std::function<absl::Status(Db&)>& body);

 private:
  absl::StatusOr<std::unique_ptr<Db>> Take();
  void Return(std::unique_ptr<Db> db);

  // Immutable after construction.
  const Opener open_;
  const int limit_;

  // Guarded by mutex_.
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<Db>> idle_;
  int in_use_ = 0;
};

}  // namespace gridsweep
