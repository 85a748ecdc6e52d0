#include "worker/trainer/flat_parameters.h"

namespace gridsweep {
namespace {

constexpr int64_t kAlignment = 64 / sizeof(float);

int64_t PaddedSize(const at::Tensor& tensor) {
  return (tensor.numel() + kAlignment - 1) / kAlignment * kAlignment;
}

}  // namespace

FlatParameters Flatten(const std::vector<at::Tensor>& parameters, at::Device device) {
  std::vector<at::Tensor> ordered;
  for (const bool weights : {true, false}) {
    for (const at::Tensor& parameter : parameters) {
      if ((parameter.dim() >= 2) == weights) ordered.push_back(parameter);
    }
  }
  FlatParameters flat;
  int64_t size = 0;
  for (const at::Tensor& parameter : ordered) {
    size += PaddedSize(parameter);
    if (parameter.dim() >= 2) flat.weights = size;
  }
  const auto options = at::TensorOptions().dtype(at::kFloat).device(device);
  flat.values = at::zeros({size}, options);
  flat.gradients = at::zeros({size}, options);
  int64_t offset = 0;
  for (at::Tensor parameter : ordered) {  // a copy of the handle: the tensor behind it is the model's
    const auto view = [&](const at::Tensor& buffer) {
      return buffer.narrow(0, offset, parameter.numel()).view(parameter.sizes());
    };
    const at::Tensor value = view(flat.values);
    value.copy_(parameter);
    const at::Tensor gradient = view(flat.gradients);
    parameter.set_data(value);
    parameter.set_requires_grad(true);
    parameter.mutable_grad() = gradient;
    offset += PaddedSize(parameter);
  }
  return flat;
}

}  // namespace gridsweep
