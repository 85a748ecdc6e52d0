// A job's model, optimizer and generators: what is trained, one batch at a time.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/job/job_spec.h"
#include "worker/trainer/components/registry.h"

namespace gridsweep {

struct ImageShape {
  int64_t rows = 0;
  int64_t columns = 0;
  int64_t classes = 0;
};

// What a model has learnt. Immutable tensors, so copies share them.
struct ModelState {
  at::Tensor values;  // see FlatParameters
  std::vector<at::Tensor> buffers;
};

// A session between two steps: what must be put back to go on from there. Immutable tensors as well.
struct SessionState {
  ModelState model;
  OptimizerState optimizer;
  at::Tensor dropout;  // state of the generator
};

// Everything random in it comes from generators of its own, made from the job's seed. Not thread-safe.
class TrainingSession {
 public:
  // REQUIRES: `spec` is resolved by the registry's catalog.
  TrainingSession(const JobSpec& spec, const Registry& registry, const ImageShape& shape, at::Device device,
                  Kernels kernels);

  struct StepResult {
    at::Tensor loss;     // float [], mean cross-entropy of the batch, without penalties
    at::Tensor correct;  // int64 [], images whose most probable class is the right one
  };
  // One forward and backward pass and one step of the optimizer.
  StepResult Step(const at::Tensor& images, const at::Tensor& labels, double lr);

  // Log-probabilities, float [n, classes], in evaluation mode and without gradients.
  at::Tensor Predict(const at::Tensor& images);

  // Going on after Restore is, bit for bit, going on after the Save that made `state`.
  // REQUIRES: `state` is of a session of the same job, but for the scheduler.
  SessionState Save();
  void Restore(const SessionState& state);
  // INVALID_ARGUMENT if `state`, from a file, cannot be one of this session's. May throw what LibTorch throws.
  absl::Status Check(const SessionState& state) const;
  absl::Status Check(const ModelState& state) const;

  // On the CPU.
  ModelState SaveModel() const;
  // The parameters and buffers of `state`, views of it, by the names of torch.nn: see LayerBuilder.
  // REQUIRES: Check(state) is OK.
  std::map<std::string, at::Tensor> Named(const ModelState& state) const;

  bool ParametersFinite() const;
  // In the model's order of construction; views of one buffer.
  const std::vector<at::Tensor>& parameters() const { return parameters_; }
  int64_t min_batch() const { return model_->min_batch(); }

 private:
  Regularization regularization_;
  at::Generator dropout_;
  std::vector<at::Tensor> parameters_, buffers_;
  std::vector<std::string> parameter_names_, buffer_names_;
  std::unique_ptr<Model> model_;
  FlatParameters flat_;
  std::unique_ptr<Optimizer> optimizer_;
};

}  // namespace gridsweep
