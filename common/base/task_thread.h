// A thread that others leave work to, so that they need not wait for it.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "absl/time/time.h"

namespace gridsweep {

// Thread-safe.
class TaskThread {
 public:
  TaskThread() : TaskThread(absl::InfiniteDuration(), [] {}) {}
  // Also calls `chore` once at the start, then every `interval`.
  TaskThread(absl::Duration interval, std::function<void()> chore);
  // As Stop().
  ~TaskThread();
  TaskThread(const TaskThread&) = delete;
  TaskThread& operator=(const TaskThread&) = delete;

  // In order, one at a time. Not after Stop().
  void Post(std::function<void()> task);

  // Finishes what was posted, then ends the thread. Idempotent.
  void Stop();

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
