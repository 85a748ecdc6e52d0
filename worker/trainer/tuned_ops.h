// The tuned formulations of layers (see kernels.h): differentiable, equal to LibTorch's operators to rounding.
#pragma once

#include "worker/trainer/aten.h"

namespace gridsweep {

// x · weightᵀ + bias, as at::linear: x float [n, inputs], weight [outputs, inputs], bias [outputs]. Gradients of
// weight and bias are added to their .grad in place where that is defined, without a tensor and a pass of their
// own; the matrix product accumulates.
at::Tensor TunedLinear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);

// 3 x 3 convolution of images, stride 1, zero padding of 1: x float [n, 1, rows, columns] without gradient,
// weight [outputs, 1, 3, 3], bias [outputs]. Returns [n, outputs, rows, columns] in channels-last memory. One
// product of the unfolded images, a row of ones beside them for the bias, with the weights: LibTorch's own
// kernels need several times as long for one input channel, in the layout that the next layers are fastest in.
at::Tensor TunedImageConvolution(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);

}  // namespace gridsweep
