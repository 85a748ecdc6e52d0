#include "worker/trainer/kernels.h"

namespace gridsweep {

std::string_view KernelsName(Kernels kernels) {
  return kernels == Kernels::kPlain ? "plain" : "tuned";
}

absl::StatusOr<Kernels> ChooseKernels(const std::string& device, std::string_view wanted) {
  if (wanted == "auto") return device == "cpu" ? Kernels::kTuned : Kernels::kPlain;
  for (const Kernels kernels : {Kernels::kPlain, Kernels::kTuned}) {
    if (wanted == KernelsName(kernels)) return kernels;
  }
  return InvalidArgument("unknown kernels '{}', expected auto, plain or tuned", wanted);
}

}  // namespace gridsweep
