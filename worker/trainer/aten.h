// The one header through which LibTorch is included; precompiled. Tensors, operators, generators and
// autograd functions only: the C++ frontend (torch/torch.h: modules, optimizers, data loaders) is not used and costs minutes of compile
// time.
#pragma once

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/cuda.h>
#include <torch/version.h>
