#include "worker/trainer/layers.h"

#include <cmath>

namespace gridsweep {

at::Tensor Convolution::operator()(const at::Tensor& x) const {
  const std::vector<int64_t> one = {1, 1};
  return at::conv2d(x, weight, bias, at::IntArrayRef(one), at::IntArrayRef(one), at::IntArrayRef(one), 1);
}

at::Tensor BatchNorm::operator()(const at::Tensor& x, bool training) const {
  return at::batch_norm(x, weight, bias, running_mean, running_var, training, /*momentum=*/0.1, /*eps=*/1e-5,
                        /*cudnn_enabled=*/true);
}

at::Tensor DropoutMask(const at::Tensor& x, double p, const at::Generator& generator) {
  return at::empty_like(x, x.options().requires_grad(false)).bernoulli_(1 - p, generator).div_(1 - p);
}

at::Tensor Dropout::operator()(const at::Tensor& x, bool training) const {
  return training && p_ > 0 ? x * DropoutMask(x, p_, generator_) : x;
}

at::Tensor LayerBuilder::Uniform(at::IntArrayRef shape, int64_t fan_in) {
  const double bound = 1 / std::sqrt(static_cast<double>(fan_in));
  parameters_.push_back(at::empty(shape, at::kFloat).uniform_(-bound, bound, init_));
  return parameters_.back();
}

Linear LayerBuilder::AddLinear(int64_t inputs, int64_t outputs) {
  const at::Tensor weight = Uniform({outputs, inputs}, inputs);
  return {weight, Uniform({outputs}, inputs)};
}

Convolution LayerBuilder::AddConvolution(int64_t inputs, int64_t outputs) {
  const at::Tensor weight = Uniform({outputs, inputs, 3, 3}, 9 * inputs);
  return {weight, Uniform({outputs}, 9 * inputs)};
}

BatchNorm LayerBuilder::AddBatchNorm(int64_t channels) {
  parameters_.push_back(at::ones({channels}, at::kFloat));
  parameters_.push_back(at::zeros({channels}, at::kFloat));
  buffers_.push_back(at::zeros({channels}, at::kFloat));
  buffers_.push_back(at::ones({channels}, at::kFloat));
  return {*(parameters_.end() - 2), parameters_.back(), *(buffers_.end() - 2), buffers_.back()};
}

std::optional<BatchNorm> LayerBuilder::AddBatchNormIf(bool wanted, int64_t channels) {
  if (!wanted) return std::nullopt;
  return AddBatchNorm(channels);
}

}  // namespace gridsweep
