// All parameters of a model in one buffer, and all gradients in another, so that penalties and optimizers are
// a few operations on one tensor instead of a few on each of many.
#pragma once

#include <vector>

#include "worker/trainer/aten.h"

namespace gridsweep {

struct FlatParameters {
  at::Tensor values;     // float [n]; the model's parameters are views of it
  at::Tensor gradients;  // float [n]; their .grad are views of it: zero it before each backward pass
  int64_t weights =
      0;  // the first so many elements are weights (two or more dimensions); biases and norms follow
};

// Moves `parameters` (leaves on the CPU) into one buffer on `device`: afterwards each is a view with
// requires_grad, its gradient a view as well. Views start at multiples of 64 bytes; the padding is zero and
// stays zero.
FlatParameters Flatten(const std::vector<at::Tensor>& parameters, at::Device device);

}  // namespace gridsweep
