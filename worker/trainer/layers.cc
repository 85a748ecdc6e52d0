#include "worker/trainer/layers.h"

#include <cmath>
#include <limits>

#include "common/base/status.h"
#include "worker/trainer/tuned_ops.h"

namespace gridsweep {
namespace {

at::Tensor Convolve(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  const std::vector<int64_t> one = {1, 1};
  return at::conv2d(x, weight, bias, at::IntArrayRef(one), at::IntArrayRef(one), at::IntArrayRef(one), 1);
}

}  // namespace

at::Tensor Linear::operator()(const at::Tensor& x) const {
  return kernels == Kernels::kTuned ? TunedLinear(x, weight, bias) : at::linear(x, weight, bias);
}

at::Tensor Convolution::operator()(const at::Tensor& x) const {
  if (kernels == Kernels::kTuned) {
    if (x.size(1) == 1 && !x.requires_grad()) return TunedImageConvolution(x, weight, bias);
    return Convolve(x.contiguous(at::MemoryFormat::ChannelsLast), weight, bias);
  }
  return Convolve(x, weight, bias);
}

at::Tensor BatchNorm::operator()(const at::Tensor& x, bool training) const {
  return at::batch_norm(x, weight, bias, running_mean, running_var, training, kMomentum, kEpsilon,
                        /*cudnn_enabled=*/true);
}

at::Tensor DropoutMask(const at::Tensor& x, double p, const at::Generator& generator) {
  constexpr double kSteps = 4294967296;  // a generator's word gives 32 bits to each of two elements
  const auto threshold = static_cast<int64_t>(std::round(p * kSteps) - kSteps / 2);
  const at::Tensor words = at::empty({(x.numel() + 1) / 2}, x.options().dtype(at::kLong).requires_grad(false))
                               .random_(std::numeric_limits<int64_t>::min(), c10::nullopt, generator);
  return words.view(at::kInt)
      .narrow(0, 0, x.numel())
      .ge(threshold)
      .to(x.scalar_type())
      .mul_(1 / (1 - p))
      .view(x.sizes());
}

at::Tensor Dropout::operator()(const at::Tensor& x, bool training) const {
  return training && p_ > 0 ? x * DropoutMask(x, p_, generator_) : x;
}

at::Tensor LayerBuilder::Uniform(at::IntArrayRef shape, int64_t fan_in) {
  const double bound = 1 / std::sqrt(static_cast<double>(fan_in));
  parameters_.push_back(at::empty(shape, at::kFloat).uniform_(-bound, bound, init_));
  return parameters_.back();
}

void LayerBuilder::NameParameters(const std::string& layer) {
  parameter_names_.push_back(layer + ".weight");
  parameter_names_.push_back(layer + ".bias");
}

Linear LayerBuilder::AddLinear(int64_t inputs, int64_t outputs) {
  NameParameters(fmt::format("fc{}", ++linears_));
  const at::Tensor weight = Uniform({outputs, inputs}, inputs);
  return {weight, Uniform({outputs}, inputs), kernels_};
}

Convolution LayerBuilder::AddConvolution(int64_t inputs, int64_t outputs) {
  NameParameters(fmt::format("conv{}", ++convolutions_));
  const at::Tensor weight = Uniform({outputs, inputs, 3, 3}, 9 * inputs);
  return {weight, Uniform({outputs}, 9 * inputs), kernels_};
}

BatchNorm LayerBuilder::AddBatchNorm(int64_t channels) {
  const std::string name = fmt::format("bn{}", ++norms_);
  NameParameters(name);
  buffer_names_.push_back(name + ".running_mean");
  buffer_names_.push_back(name + ".running_var");
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
