#include "worker/trainer/slot_pool.h"

#include <cstdlib>
#include <iostream>

#include "worker/trainer/event_listener.h"

namespace gridsweep {

struct SlotPool::Attempt {
  RunCommand command;
  std::atomic<bool> stopped = false;
};

namespace {

constexpr int kExitDeviceLost = 70;

JobOutcome Stopped() {
  return {JobOutcome::End::kStopped, "", {}};
}

}  // namespace

SlotPool::SlotPool(const TrainerIdentity& identity, RunJobFunction run, std::function<void()> prepare_thread,
                   LineWriter& writer)
    : identity_(identity), run_(std::move(run)), prepare_thread_(std::move(prepare_thread)), writer_(writer) {
  for (int i = 0; i < identity_.slots; ++i) threads_.emplace_back([this] { Work(); });
}

SlotPool::~SlotPool() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    closing_ = true;
    for (const auto& [id, attempt] : attempts_) attempt->stopped = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

absl::Status SlotPool::Run(RunCommand command) {
  const std::lock_guard<std::mutex> lock(mutex_);
  auto attempt = std::make_shared<Attempt>();
  attempt->command = std::move(command);
  if (!attempts_.emplace(attempt->command.attempt, attempt).second) {
    return AlreadyExists("attempt {} is already running", attempt->command.attempt);
  }
  waiting_.push_back(std::move(attempt));
  changed_.notify_one();
  return absl::OkStatus();
}

void SlotPool::Stop(const StopCommand& command) {
  std::unique_lock<std::mutex> lock(mutex_);
  const auto it = attempts_.find(command.attempt);
  if (it == attempts_.end()) return;
  it->second->stopped = true;
  if (std::erase(waiting_, it->second) == 0) return;  // it runs, and its thread will answer
  attempts_.erase(it);
  lock.unlock();
  writer_.Write(EndEvent(command.attempt, Stopped()));
}

void SlotPool::Work() {
  prepare_thread_();
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return closing_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    const std::shared_ptr<Attempt> attempt = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    absl::StatusOr<JobOutcome> outcome = Stopped();
    if (!attempt->stopped) {
      EventListener listener(writer_, identity_, attempt->command.attempt, &attempt->stopped);
      outcome = run_(attempt->command.job, listener);
    }
    lock.lock();
    // IMPORTANT: forget the attempt before its last event is out, because a reader of that event may run it
    // again.
    attempts_.erase(attempt->command.attempt);
    lock.unlock();
    writer_.Write(EndEvent(attempt->command.attempt, outcome));
    if (absl::IsAborted(outcome.status())) {
      std::cerr << "gridsweep-trainer: " << Message(outcome.status())
                << "; exiting, so that a new process can take over\n";
      std::_Exit(kExitDeviceLost);
    }
    lock.lock();
  }
}

}  // namespace gridsweep
