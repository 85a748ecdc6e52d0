// Optimizers: one step over all parameters at once.
#pragma once

#include "worker/trainer/flat_parameters.h"

namespace gridsweep {

// The formulas are those of torch.optim. Penalties are already in the gradient. Owns its state,
// shares the parameters' buffers. Not thread-safe.
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  // Moves the parameters against their gradients, which it may overwrite. REQUIRES: gradient mode is off.
  virtual void Step(double lr) = 0;
};

}  // namespace gridsweep
