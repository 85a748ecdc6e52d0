#include "coordinator/queue/commit_loop.h"

#include <future>
#include <utility>

#include "common/base/log.h"

namespace gridsweep {
namespace {

void LogDepartures(const Departures& gone) {
  for (const std::string& worker : gone.left) Log(LogLevel::kInfo, "worker_left", {{"worker", worker}});
  for (const LostWorker& worker : gone.lost) {
    Log(LogLevel::kWarning, "worker_lost",
        {{"worker", worker.name}, {"attempts", worker.attempts}, {"reason", "not heard for the lease"}});
  }
  for (const QuarantinedWorker& worker : gone.quarantined) {
    Log(LogLevel::kWarning, "worker_quarantined", {{"worker", worker.name}, {"reason", worker.reason}});
  }
  for (const LostAttempt& lost : gone.attempts) {
    Log(LogLevel::kWarning, "attempt_lost",
        {{"attempt", lost.attempt.value},
         {"job", lost.job.value},
         {"worker", lost.worker},
         {"reason", lost.reason}});
  }
}

}  // namespace

CommitLoop::CommitLoop(BatchRunner* runner, const Clock* clock, Options options)
    : runner_(runner), clock_(clock), options_(std::move(options)), thread_([this] { Loop(); }) {}

CommitLoop::~CommitLoop() {
  Stop();
}

void CommitLoop::Post(Operation operation, Done done) {
  absl::Status refused;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) {
      refused = Unavailable("the coordinator is shutting down");
    } else if (waiting_.size() >= options_.max_waiting) {
      refused =
          ResourceExhausted("the coordinator has {} requests waiting, try again shortly", waiting_.size());
    } else {
      waiting_.push_back({std::move(operation), std::move(done)});
    }
  }
  if (!refused.ok()) {
    done(refused);
    return;
  }
  wake_.notify_one();
}

absl::Status CommitLoop::Run(Operation operation) {
  std::promise<absl::Status> promise;
  auto future = promise.get_future();
  Post(std::move(operation), [&promise](const absl::Status& status) { promise.set_value(status); });
  return future.get();
}

size_t CommitLoop::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size();
}

std::optional<WriteTrouble> CommitLoop::trouble() const {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

void CommitLoop::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
  answers_.Stop();
}

void CommitLoop::Loop() {
  while (true) {
    std::deque<Item> batch;
    {
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, absl::ToChronoMilliseconds(options_.tick),
                     [this] { return stopping_ || !waiting_.empty(); });
      if (stopping_ && waiting_.empty()) return;
      while (!waiting_.empty() && batch.size() < options_.max_batch) {
        batch.push_back(std::move(waiting_.front()));
        waiting_.pop_front();
      }
    }
    RunBatch(std::move(batch));
  }
}

void CommitLoop::RunBatch(std::deque<Item> batch) {
  std::vector<Operation> operations;
  for (Item& item : batch) operations.push_back(std::move(item.operation));
  const Instant begin = clock_->Now();
  BatchRunner::Outcome outcome = runner_->Run(operations, begin);
  options_.on_batch({.operations = batch.size(),
                     .took = clock_->Now().monotonic - begin.monotonic,
                     .stored = outcome.commit.ok(),
                     .in_trouble = outcome.trouble.has_value()});
  if (!outcome.commit.ok()) {
    Log(LogLevel::kError, "commit_failed",
        {{"operations", batch.size()}, {"error", Message(outcome.commit)}});
  }
  if (!outcome.leases.ok()) Log(LogLevel::kError, "lease_check_failed", {{"error", Message(outcome.leases)}});
  LogDepartures(outcome.departures);
  NoteTrouble(outcome.trouble);
  Answer(std::move(batch), std::move(outcome));
}

void CommitLoop::Answer(std::deque<Item> batch, BatchRunner::Outcome outcome) {
  const bool broken = outcome.trouble && outcome.trouble->needs_restart;
  if (batch.empty() && !broken) return;
  // To wake another thread would cost more than one answer. The last word comes after all that was answered before.
  const bool at_once = batch.size() == 1 && waiting() == 0 && !broken;
  auto answer = [this, broken, batch = std::move(batch), outcome = std::move(outcome)] {
    for (size_t i = 0; i < batch.size(); ++i) batch[i].done(outcome.results[i]);
    if (broken) options_.on_broken(*outcome.trouble);
  };
  if (at_once) return answer();
  answers_.Post(std::move(answer));
}

void CommitLoop::NoteTrouble(const std::optional<WriteTrouble>& trouble) {
  const bool was_in_trouble = trouble_.has_value();
  {
    const std::lock_guard lock(mutex_);
    trouble_ = trouble;
  }
  if (trouble.has_value() == was_in_trouble) return;
  if (trouble) {
    Log(LogLevel::kError, "store_in_trouble",
        {{"error", trouble->error}, {"effect", "workers train on and keep what they have to report"}});
  } else {
    Log(LogLevel::kInfo, "store_works_again");
  }
}

}  // namespace gridsweep
