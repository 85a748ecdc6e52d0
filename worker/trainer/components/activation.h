// Activations: element-wise functions between layers.
#pragma once

#include <functional>

#include "worker/trainer/aten.h"

namespace gridsweep {

struct Activation {
  std::function<at::Tensor(const at::Tensor&)> apply;  // differentiable; keeps the shape
  // Non-decreasing, so that apply(max_pool(x)) == max_pool(apply(x)): the cheaper order, a quarter of the
  // work.
  bool monotone = false;
};

}  // namespace gridsweep
