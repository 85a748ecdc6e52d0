// The one thread that owns the store and the queue: takes what callers post, has it run in batches, each committed once,
// and only then answers (group commit). Where others wait a second thread answers, so that they need not wait for that too.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/base/task_thread.h"
#include "coordinator/queue/batch_runner.h"

namespace gridsweep {

struct BatchReport {
  size_t operations = 0;
  absl::Duration took;      // to run and to commit
  bool stored = false;      // or lost as a whole
  bool in_trouble = false;  // the disk takes no writes
};

// Thread-safe. Nothing passed in is owned; all must outlive the loop.
class CommitLoop {
 public:
  struct Options {
    size_t max_waiting = 8192;  // operations posted and not yet begun; more are refused
    size_t max_batch = 1024;
    absl::Duration tick = absl::Milliseconds(200);  // at most between two looks at the leases
    // Called on the loop's thread after each batch, before its answers.
    std::function<void(const BatchReport&)> on_batch = [](const BatchReport&) {};
    // Called once nothing can be stored any more until the files are opened anew, after the answers of that batch and all
    // before, on the thread that answers. May end the process.
    std::function<void(const WriteTrouble&)> on_broken = [](const WriteTrouble&) {};
  };
  // Runs on the loop's thread. Its own status goes to `done`.
  using Operation = BatchRunner::Operation;
  // Runs after the commit, on one of the loop's two threads: the operation's status, or the commit's if that failed.
  using Done = std::function<void(const absl::Status&)>;

  CommitLoop(BatchRunner* runner, const Clock* clock, Options options);
  // As Stop().
  ~CommitLoop();

  // `done` is called exactly once; at once, on the caller's thread, with UNAVAILABLE when the loop has
  // stopped or RESOURCE_EXHAUSTED when too many operations wait.
  void Post(Operation operation, Done done);
  // Posts and waits for the result. Must not be called from an operation.
  absl::Status Run(Operation operation);

  // Operations that wait.
  size_t waiting() const;
  // What keeps the disk from taking writes, as of the last batch or tick.
  std::optional<WriteTrouble> trouble() const;

  // Finishes and answers what was posted, then ends the threads. Idempotent.
  void Stop();

 private:
  struct Item {
    Operation operation;
    Done done;
  };
  void Loop();
  void RunBatch(std::deque<Item> batch);
  void NoteTrouble(const std::optional<WriteTrouble>& trouble);
  void Answer(std::deque<Item> batch, BatchRunner::Outcome outcome);

  BatchRunner* const runner_;  // used by the loop's thread only
  const Clock* const clock_;
  const Options options_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Item> waiting_;             // guarded by mutex_
  bool stopping_ = false;                // guarded by mutex_
  std::optional<WriteTrouble> trouble_;  // guarded by mutex_; written by the loop's thread only
  TaskThread answers_;
  std::thread thread_;
};

}  // namespace gridsweep
