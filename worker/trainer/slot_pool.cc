#include "worker/trainer/slot_pool.h"

#include <cstdlib>
#include <iostream>
#include <set>

#include "worker/trainer/event_listener.h"

namespace gridsweep {

struct SlotPool::Attempt {
  int64_t id;
  Json document;
  std::vector<std::string> resume;
  std::atomic<bool> stopped = false;
};

namespace {

constexpr int kExitDeviceLost = 70;

}  // namespace

SlotPool::SlotPool(const TrainerIdentity& identity, RunJobsFunction run, std::function<void()> prepare_thread,
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
  std::set<int64_t> ids;
  for (const RunCommand::Job& job : command.jobs) {
    if (attempts_.contains(job.attempt) || !ids.insert(job.attempt).second)
      return AlreadyExists("attempt {} is already running", job.attempt);
  }
  Bundle bundle;
  for (RunCommand::Job& job : command.jobs) {
    auto attempt = std::make_shared<Attempt>();
    attempt->id = job.attempt;
    attempt->document = std::move(job.document);
    attempt->resume = std::move(job.resume);
    attempts_.emplace(attempt->id, attempt);
    bundle.push_back(std::move(attempt));
  }
  waiting_.push_back(std::move(bundle));
  changed_.notify_one();
  return absl::OkStatus();
}

void SlotPool::Stop(const StopCommand& command) {
  std::unique_lock<std::mutex> lock(mutex_);
  const auto it = attempts_.find(command.attempt);
  if (it == attempts_.end()) return;
  it->second->stopped = true;
  size_t waited = 0;
  for (Bundle& bundle : waiting_) waited += std::erase(bundle, it->second);
  if (waited == 0) return;  // it runs, and its thread will answer
  std::erase_if(waiting_, [](const Bundle& bundle) { return bundle.empty(); });
  attempts_.erase(it);
  lock.unlock();
  writer_.Write(EndEvent(command.attempt, JobOutcome{JobOutcome::End::kStopped, "", {}}));
}

void SlotPool::Work() {
  prepare_thread_();
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return closing_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    const Bundle bundle = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    const absl::Status status = RunBundle(bundle);
    if (absl::IsAborted(status)) {
      std::cerr << "gridsweep-trainer: " << Message(status)
                << "; exiting, so that a new process can take over\n";
      std::_Exit(kExitDeviceLost);
    }
    lock.lock();
  }
}

absl::Status SlotPool::RunBundle(const Bundle& bundle) {
  std::deque<EventListener> listeners;
  std::vector<JobTask> tasks;
  for (const std::shared_ptr<Attempt>& attempt : bundle) {
    EventListener& listener =
        listeners.emplace_back(writer_, identity_, attempt->id, &attempt->stopped, [this, id = attempt->id] {
          const std::lock_guard<std::mutex> forget(mutex_);
          attempts_.erase(id);
        });
    if (attempt->stopped) {
      listener.Ended(JobOutcome{JobOutcome::End::kStopped, "", {}});
    } else {
      tasks.push_back({std::move(attempt->document), &listener, std::move(attempt->resume)});
    }
  }
  return tasks.empty() ? absl::OkStatus() : run_(tasks);
}

}  // namespace gridsweep
