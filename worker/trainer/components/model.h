// Models, and what they are built from.
#pragma once

#include "worker/trainer/components/activation.h"
#include "worker/trainer/layers.h"

namespace gridsweep {

// What a model is built for. Sizes come from the data set.
struct ModelContext {
  int64_t rows = 0;
  int64_t columns = 0;
  int64_t classes = 0;
  Activation activation;
  Dropout dropout;  // to apply after each hidden fully connected layer
};

class Model {
 public:
  virtual ~Model() = default;
  // float [n, 1, rows, columns] in [0, 1] to logits, float [n, classes]. `training` turns dropout on and
  // makes batch normalization use and track the batch's statistics.
  virtual at::Tensor Forward(const at::Tensor& images, bool training) = 0;
  // The smallest batch it can train on: 2 where batch normalization sees one value per image.
  virtual int64_t min_batch() const { return 1; }
};

}  // namespace gridsweep
