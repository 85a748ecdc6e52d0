// The lock that makes a coordinator the only writer of its database.
//
// The file, `<database>.lock`, is held with flock(LOCK_EX) while the coordinator lives; the kernel drops it
// when the process ends in whatever way. Its content tells others who holds it, as one JSON object on one
// line:
//
//   {"address":"127.0.0.1:50051","pid":4711,"secure":true}
//
// "secure" is there if callers need TLS and a token.
// "address" is absent until the coordinator listens. A coordinator that stops cleanly empties the file; after
// a crash the old content stays. So another process (which need not link this code) learns what runs by
// reading the file, and then, if it is not empty, whether it is stale by trying flock(LOCK_SH | LOCK_NB) on
// it: success means stale.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "common/base/status.h"

namespace gridsweep {

struct LockHolder {
  int64_t pid = 0;      // 0 if the file says nothing
  std::string address;  // empty until it listens
  bool secure = false;  // callers need TLS and a token
};

class FileLock {
 public:
  // Takes the lock and writes our pid. Returns FAILED_PRECONDITION naming the holder if another process has
  // it.
  static absl::StatusOr<std::unique_ptr<FileLock>> Acquire(const std::string& path);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

  // Locks the database's own file too, for the case that somebody removes the lock file: then the next coordinator makes a
  // new one. Same errors. REQUIRES: it is called once, before the first transaction, as closing any descriptor of a file ends
  // the locks that SQLite has on it.
  absl::Status AlsoHold(const std::string& database);

  absl::Status PublishAddress(const std::string& address, bool secure);

 private:
  FileLock(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  absl::Status Write(const std::string& content);

  const int fd_;
  const std::string path_;
  int database_fd_ = -1;
};

// What the lock file says; zero and empty if it is missing, empty or unreadable. Does not tell whether it is
// stale.
LockHolder ReadLockFile(const std::string& path);

// Whether some process holds the lock.
bool IsLockHeld(const std::string& path);

}  // namespace gridsweep
