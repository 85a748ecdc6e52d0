// Learning rate schedules: one decision an epoch. Free of LibTorch: the trainer follows them, and the programs without
// LibTorch tell from them which epochs jobs can share.
#pragma once

#include <cstdint>
#include <memory>

#include "common/catalog/component_list.h"
#include "common/job/metrics.h"

namespace gridsweep {

// The formulas are those of torch.optim.lr_scheduler, stepped once an epoch. Not thread-safe.
class Scheduler {
 public:
  virtual ~Scheduler() = default;
  // The learning rate of the epoch after `done`. Called once after each epoch, in order.
  virtual double Next(const EpochMetrics& done) = 0;
  // Whether Next looks at what was measured. If not, the rates are known before training.
  virtual bool UsesMetrics() const { return false; }
};

// Arguments: learning rate of the first epoch, the job's epochs.
using SchedulerList = ComponentList<std::unique_ptr<Scheduler>, double, int64_t>;

void RegisterSchedulers(SchedulerList& schedulers);

// All of them, registered once. Thread-safe.
const SchedulerList& Schedulers();

}  // namespace gridsweep
