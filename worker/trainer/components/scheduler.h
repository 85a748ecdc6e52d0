// Learning rate schedules: one decision an epoch. Free of LibTorch.
#pragma once

#include "common/job/metrics.h"

namespace gridsweep {

// The formulas are those of torch.optim.lr_scheduler, stepped once an epoch. Not thread-safe.
class Scheduler {
 public:
  virtual ~Scheduler() = default;
  // The learning rate of the epoch after `done`. Called once after each epoch, in order.
  virtual double Next(const EpochMetrics& done) = 0;
};

}  // namespace gridsweep
