#include "common/base/task_thread.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace gridsweep {
namespace {

// What a condition variable can wait for.
constexpr absl::Duration kLongestWait = absl::Hours(24);

}  // namespace

TaskThread::TaskThread(absl::Duration interval, std::function<void()> chore)
    : interval_(std::min(interval, kLongestWait)), chore_(std::move(chore)), thread_([this] { Run(); }) {}

TaskThread::~TaskThread() {
  Stop();
}

void TaskThread::Post(std::function<void()> task) {
  {
    const std::lock_guard lock(mu_);
    tasks_.push_back(std::move(task));
  }
  wake_.notify_one();
}

void TaskThread::Stop() {
  {
    const std::lock_guard lock(mu_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void TaskThread::Run() {
  auto next_chore = std::chrono::steady_clock::now();
  while (true) {
    std::function<void()> task;
    {
      std::unique_lock lock(mu_);
      wake_.wait_until(lock, next_chore, [this] { return stopping_ || !tasks_.empty(); });
      if (tasks_.empty() && stopping_) return;
      if (!tasks_.empty()) {
        task = std::move(tasks_.front());
        tasks_.pop_front();
      }
    }
    if (task) task();
    if (std::chrono::steady_clock::now() < next_chore) continue;
    chore_();
    next_chore = std::chrono::steady_clock::now() + absl::ToChronoMilliseconds(interval_);
  }
}

}  // namespace gridsweep
