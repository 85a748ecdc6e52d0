// What a job's regularizers ask for, put together. Free of LibTorch.
#pragma once

namespace gridsweep {

struct Regularization {
  double l1 = 0;  // λ of λ·Σ|w| over weights (not biases or norms), added to the loss that is minimized
  double l2 = 0;  // λ of λ·w added to every parameter's gradient, before any optimizer sees it
  double dropout =
      0;  // probability that an output of a hidden fully connected layer is zeroed while training
};

}  // namespace gridsweep
