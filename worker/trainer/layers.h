// Layers with PyTorch's defaults, whose randomness comes from the job's own generators.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "worker/trainer/aten.h"
#include "worker/trainer/kernels.h"

namespace gridsweep {

struct Linear {
  at::Tensor weight;  // [outputs, inputs]
  at::Tensor bias;    // [outputs]
  Kernels kernels = Kernels::kPlain;
  at::Tensor operator()(const at::Tensor& x) const;
};

// 3 x 3, stride 1, zero padding of 1: keeps rows and columns.
struct Convolution {
  at::Tensor weight;  // [outputs, inputs, 3, 3]
  at::Tensor bias;    // [outputs]
  Kernels kernels = Kernels::kPlain;
  at::Tensor operator()(const at::Tensor& x) const;
};

// Over dimension 1.
struct BatchNorm {
  static constexpr double kMomentum = 0.1, kEpsilon = 1e-5;  // torch.nn's defaults
  at::Tensor weight, bias;
  at::Tensor running_mean, running_var;
  at::Tensor operator()(const at::Tensor& x, bool training) const;
};

// The mask of one application to a tensor like `x`: 0 with probability p, to 32 bits, else 1 / (1 - p). Takes a
// fraction of the time of LibTorch's bernoulli_ on CPUs.
at::Tensor DropoutMask(const at::Tensor& x, double p, const at::Generator& generator);

class Dropout {
 public:
  Dropout() = default;
  // `generator` is on the device of the tensors.
  Dropout(double p, at::Generator generator) : p_(p), generator_(std::move(generator)) {}
  // The identity when not training or p is 0.
  at::Tensor operator()(const at::Tensor& x, bool training) const;

 private:
  double p_ = 0;
  at::Generator generator_;
};

// Makes layers on the CPU, initialized as torch.nn does it, drawing from one generator in the order of the
// calls, and keeps a list of what must be trained and what must be moved along.
class LayerBuilder {
 public:
  explicit LayerBuilder(at::Generator init, Kernels kernels = Kernels::kPlain)
      : init_(std::move(init)), kernels_(kernels) {}
  Linear AddLinear(int64_t inputs, int64_t outputs);
  Convolution AddConvolution(int64_t inputs, int64_t outputs);
  BatchNorm AddBatchNorm(int64_t channels);
  std::optional<BatchNorm> AddBatchNormIf(bool wanted, int64_t channels);

  // In order of creation, weight before bias: the order of torch.nn.Module.parameters().
  const std::vector<at::Tensor>& parameters() const { return parameters_; }
  const std::vector<at::Tensor>& buffers() const { return buffers_; }
  // Of each of them, as torch.nn calls it in a module whose layers of a kind are counted from 1: "conv1.weight",
  // "bn1.running_mean", "fc2.bias".
  const std::vector<std::string>& parameter_names() const { return parameter_names_; }
  const std::vector<std::string>& buffer_names() const { return buffer_names_; }

 private:
  // Uniform in ±1/√fan_in: kaiming_uniform with a = √5, the default of torch.nn.Linear and torch.nn.Conv2d.
  at::Tensor Uniform(at::IntArrayRef shape, int64_t fan_in);
  // Weight and bias of `layer` are the next parameters.
  void NameParameters(const std::string& layer);

  at::Generator init_;
  const Kernels kernels_;
  int linears_ = 0, convolutions_ = 0, norms_ = 0;
  std::vector<at::Tensor> parameters_, buffers_;
  std::vector<std::string> parameter_names_, buffer_names_;
};

}  // namespace gridsweep
