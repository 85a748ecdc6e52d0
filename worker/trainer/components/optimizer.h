// Optimizers: one step over all parameters at once.
#pragma once

#include "worker/trainer/flat_parameters.h"

namespace gridsweep {

// The formulas are those of torch.optim. L2 is already in the gradient (see penalties.h). Owns its state,
// shares the parameters' buffers. Not thread-safe.
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  // Moves the parameters against their gradients, which it may overwrite. REQUIRES: gradient mode is off.
  virtual void Step(double lr) = 0;
};

}  // namespace gridsweep
