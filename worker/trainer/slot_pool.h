// Runs jobs on a fixed number of threads and reports their events.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "worker/trainer/line_writer.h"
#include "worker/trainer/protocol.h"

namespace gridsweep {

// Thread-safe. Borrows `writer`. A device that breaks (ABORTED) ends the process, with exit code 70, once the last
// events of the jobs concerned are out.
class SlotPool {
 public:
  // `prepare_thread` is called first on each of identity.slots threads.
  SlotPool(const TrainerIdentity& identity, RunJobsFunction run, std::function<void()> prepare_thread,
           LineWriter& writer);
  // Stops every job, as Stop does, and waits until they have.
  ~SlotPool();
  SlotPool(const SlotPool&) = delete;
  SlotPool& operator=(const SlotPool&) = delete;

  // The job or bundle begins as soon as a slot is free. Returns ALREADY_EXISTS if one of its attempts is not over;
  // then none begins.
  absl::Status Run(RunCommand command);
  // The job ends with `stopped` after its current batch. An attempt that is over or unknown is ignored: its
  // last event is on its way.
  void Stop(const StopCommand& command);

 private:
  struct Attempt;
  using Bundle = std::vector<std::shared_ptr<Attempt>>;

  void Work();
  // REQUIRES: mutex_ is not held.
  absl::Status RunBundle(const Bundle& bundle);

  const TrainerIdentity identity_;
  const RunJobsFunction run_;
  const std::function<void()> prepare_thread_;
  LineWriter& writer_;

  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  std::map<int64_t, std::shared_ptr<Attempt>> attempts_;  // waiting or running
  std::deque<Bundle> waiting_;
  bool closing_ = false;

  std::vector<std::thread> threads_;
};

}  // namespace gridsweep
