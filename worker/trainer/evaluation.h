// Measuring a model on a set of images.
#pragma once

#include <functional>
#include <optional>

#include "worker/trainer/device_dataset.h"
#include "worker/trainer/training_session.h"

namespace gridsweep {

struct Measurement {
  double loss = 0;      // mean cross-entropy
  double accuracy = 0;  // share of right answers
  // Of each image, in the order of the indices, on the device.
  at::Tensor predicted;   // int64 [n]
  at::Tensor confidence;  // float [n], probability of the predicted class
};

// Called after each batch with its number of images; returns false to give up.
using BatchDone = std::function<bool(int64_t)>;

// Over the images `indices` (int64 [n], n > 0, on the device) of `set`. Returns nullopt if `done` gave up.
std::optional<Measurement> Measure(TrainingSession& session, const ImageSet& set, const at::Tensor& indices,
                                   const BatchDone& done);

// The confusion matrix and the sample of test images, the same for all jobs: `kSampledImages` at a fixed
// stride.
inline constexpr int64_t kSampledImages = 32;
Evaluation Summarize(const Measurement& measurement, const ImageSet& test, int64_t classes);

}  // namespace gridsweep
