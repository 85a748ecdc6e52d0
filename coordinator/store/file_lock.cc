#include "coordinator/store/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "absl/time/clock.h"
#include "common/base/json.h"

namespace gridsweep {
namespace {

// Someone who asks whether the lock is held has a shared lock for a moment, so one refusal is not the last
// word.
constexpr int kTries = 5;
constexpr absl::Duration kBetweenTries = absl::Milliseconds(20);

bool TryLock(int fd, int operation) {
  int rc = 0;
  do {
    rc = flock(fd, operation | LOCK_NB);
  } while (rc != 0 && errno == EINTR);
  return rc == 0;
}

bool TakeLock(int fd) {
  bool locked = TryLock(fd, LOCK_EX);
  for (int i = 1; !locked && i < kTries; ++i) {
    absl::SleepFor(kBetweenTries);
    locked = TryLock(fd, LOCK_EX);
  }
  return locked;
}

std::string ReadSome(int fd) {
  char buffer[4096];
  const ssize_t size = pread(fd, buffer, sizeof buffer, 0);
  return size > 0 ? std::string(buffer, static_cast<size_t>(size)) : "";
}

LockHolder ParseHolder(const std::string& text) {
  LockHolder holder;
  const absl::StatusOr<Json> json = ParseJson(text);
  if (!json.ok()) return holder;
  holder.pid = GetField<int64_t>(*json, "pid").value_or(0);
  holder.address = GetField<std::string>(*json, "address").value_or("");
  holder.secure = GetField<bool>(*json, "secure").value_or(false);
  return holder;
}

std::string HolderText(const LockHolder& holder) {
  Json json = {{"pid", holder.pid}};
  if (!holder.address.empty()) json["address"] = holder.address;
  if (holder.secure) json["secure"] = true;
  return json.dump() + "\n";
}

}  // namespace

absl::StatusOr<std::unique_ptr<FileLock>> FileLock::Acquire(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return ErrnoError(errno, fmt::format("cannot open lock file '{}'", path));
  if (!TakeLock(fd)) {
    const LockHolder holder = ParseHolder(ReadSome(fd));
    close(fd);
    const std::string where = holder.address.empty() ? "" : " at " + holder.address;
    return FailedPrecondition("another coordinator (pid {}{}) uses this database: it holds '{}'", holder.pid,
                              where, path);
  }
  std::unique_ptr<FileLock> lock(new FileLock(fd, path));
  GS_RETURN_IF_ERROR(lock->Write(HolderText({.pid = getpid()})));
  return lock;
}

FileLock::~FileLock() {
  // Emptied, not removed: a process that opened the file just before its removal would lock a file nobody
  // else sees.
  Write("").IgnoreError();
  close(fd_);
  if (database_fd_ >= 0) close(database_fd_);
}

absl::Status FileLock::AlsoHold(const std::string& database) {
  database_fd_ = open(database.c_str(), O_RDONLY | O_CLOEXEC);
  if (database_fd_ < 0) return ErrnoError(errno, fmt::format("cannot open '{}' to lock it", database));
  if (TakeLock(database_fd_)) return absl::OkStatus();
  return FailedPrecondition(
      "another coordinator uses this database: it has locked '{}', though its lock file '{}' is gone",
      database, path_);
}

absl::Status FileLock::PublishAddress(const std::string& address, bool secure) {
  return Write(HolderText({getpid(), address, secure}));
}

absl::Status FileLock::Write(const std::string& content) {
  // One write and then the cut, so that a reader sees a whole first line at any time.
  const ssize_t size = static_cast<ssize_t>(content.size());
  if (pwrite(fd_, content.data(), content.size(), 0) != size || ftruncate(fd_, size) != 0) {
    return ErrnoError(errno, fmt::format("cannot write lock file '{}'", path_));
  }
  return absl::OkStatus();
}

LockHolder ReadLockFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  const std::string text = ReadSome(fd);
  close(fd);
  return ParseHolder(text);
}

bool IsLockHeld(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool free = TryLock(fd, LOCK_SH);
  close(fd);
  return !free;
}

}  // namespace gridsweep
