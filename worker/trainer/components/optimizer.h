// Optimizers: one step over all parameters at once.
#pragma once

#include <utility>
#include <vector>

#include "worker/trainer/flat_parameters.h"

namespace gridsweep {

// What an optimizer remembers from step to step.
struct OptimizerState {
  std::vector<at::Tensor> buffers;  // float, of the parameters' length; zero before the first step
  int64_t steps = 0;
};

// The formulas are those of torch.optim. Penalties are already in the gradient. Owns its state, shares the
// parameters' buffers. Not thread-safe.
class Optimizer {
 public:
  virtual ~Optimizer() = default;

  // Moves the parameters against their gradients, which it may overwrite. REQUIRES: gradient mode is off.
  void Step(double lr) {
    ++state_.steps;
    Update(lr);
  }

  // All that tells this optimizer from a new one.
  OptimizerState& state() { return state_; }

 protected:
  Optimizer(FlatParameters flat, int buffers) : flat_(std::move(flat)) {
    for (int i = 0; i < buffers; ++i) state_.buffers.push_back(at::zeros_like(flat_.values));
  }

  // `steps()` counts this one.
  virtual void Update(double lr) = 0;

  const at::Tensor& values() const { return flat_.values; }
  const at::Tensor& gradients() const { return flat_.gradients; }
  const at::Tensor& buffer(size_t i) const { return state_.buffers[i]; }
  int64_t steps() const { return state_.steps; }

 private:
  const FlatParameters flat_;
  OptimizerState state_;
};

}  // namespace gridsweep
