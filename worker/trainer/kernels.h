// Which formulations of the same mathematics a process computes with. Results of different kernels agree to
// rounding, not to the bit, so the choice is part of a job's environment and follows from the device alone: a
// fixed rule, justified by `./dev bench limit` and docs/performance.md, never a timing at start.
#pragma once

#include <string>

#include "common/base/status.h"

namespace gridsweep {

enum class Kernels {
  kPlain,  // LibTorch's operators as torch.nn calls them: what GPUs are best at, and what the others are checked by
  // For CPUs: convolutions on channels-last tensors, the first one as a matrix product, weight gradients of
  // fully connected layers added in place.
  kTuned,
};

std::string_view KernelsName(Kernels kernels);  // "plain", "tuned"

// `wanted` is "auto" (the rule: tuned on CPUs, plain on GPUs) or a name. Returns INVALID_ARGUMENT for anything
// else.
absl::StatusOr<Kernels> ChooseKernels(const std::string& device, std::string_view wanted);

}  // namespace gridsweep
