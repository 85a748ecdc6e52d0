#include "worker/trainer/tuned_ops.h"

namespace gridsweep {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

// Adds `gradient` to parameter.grad, and leaves nothing for autograd to add. Without a .grad autograd shall make
// one.
at::Tensor Accumulate(const at::Tensor& parameter, const at::Tensor& gradient) {
  if (!parameter.grad().defined()) return gradient;
  parameter.mutable_grad().add_(gradient);
  return {};
}

struct Linear : Function<Linear> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const at::Tensor& bias) {
    context->save_for_backward({x, weight, bias});
    return at::addmm(bias, x, weight.t());
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], &bias = saved[2], &y_gradient = gradients[0];
    at::Tensor x_gradient, weight_gradient;
    if (x.requires_grad()) x_gradient = y_gradient.mm(weight);
    if (weight.grad().defined()) {
      weight.mutable_grad().addmm_(y_gradient.t(), x);
    } else {
      weight_gradient = y_gradient.t().mm(x);
    }
    return {x_gradient, weight_gradient, Accumulate(bias, y_gradient.sum(0))};
  }
};

// Float [10, n * rows * columns]: row 3 * i + j holds every pixel's neighbour at (i - 1, j - 1), zero beyond the
// edge; the last row is ones.
at::Tensor Unfold(const at::Tensor& x) {
  const int64_t n = x.size(0), rows = x.size(2), columns = x.size(3);
  const at::Tensor padded = at::constant_pad_nd(x, {1, 1, 1, 1});
  const int64_t line = columns + 2, image = (rows + 2) * line;
  const at::Tensor unfolded = at::empty({10, n, rows, columns}, x.options());
  unfolded.narrow(0, 0, 9)
      .view({3, 3, n, rows, columns})
      .copy_(padded.as_strided({3, 3, n, rows, columns}, {line, 1, image, line, 1}));
  unfolded[9].fill_(1);
  return unfolded.view({10, n * rows * columns});
}

struct ImageConvolution : Function<ImageConvolution> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                            const at::Tensor& bias) {
    const at::Tensor unfolded = Unfold(x);
    context->save_for_backward({unfolded, weight, bias});
    const int64_t outputs = weight.size(0);
    const at::Tensor factors = at::cat({weight.view({outputs, 9}), bias.unsqueeze(1)}, 1);
    return unfolded.t()
        .mm(factors.t())
        .view({x.size(0), x.size(2), x.size(3), outputs})
        .permute({0, 3, 1, 2});
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &unfolded = saved[0], &weight = saved[1], &bias = saved[2];
    const at::Tensor y_gradient =
        gradients[0].permute({0, 2, 3, 1}).contiguous().view({unfolded.size(1), weight.size(0)});
    const at::Tensor product = unfolded.mm(y_gradient);  // [10, outputs]
    return {{},
            Accumulate(weight, product.narrow(0, 0, 9).t().reshape(weight.sizes())),
            Accumulate(bias, product[9])};
  }
};

}  // namespace

at::Tensor TunedLinear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  return Linear::apply(x, weight, bias);
}

at::Tensor TunedImageConvolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  return ImageConvolution::apply(x, weight, bias);
}

}  // namespace gridsweep
