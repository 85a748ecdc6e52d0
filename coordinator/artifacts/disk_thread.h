// A thread for what may wait for the disk, so that those that serve calls need not.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "absl/time/time.h"

namespace gridsweep {

// Thread-safe.
class DiskThread {
 public:
  // Also calls `chore` once at the start, then every `interval`.
  DiskThread(absl::Duration interval, std::function<void()> chore);
  // Finishes what was posted.
  ~DiskThread();
  DiskThread(const DiskThread&) = delete;
  DiskThread& operator=(const DiskThread&) = delete;

  // In order, one at a time.
  void Post(std::function<void()> task);

 private:
  void Run();

  const absl::Duration interval_;
  const std::function<void()> chore_;
  std::mutex mu_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> tasks_;  // guarded by mu_
  bool stopping_ = false;                    // guarded by mu_
  std::thread thread_;
};

}  // namespace gridsweep
