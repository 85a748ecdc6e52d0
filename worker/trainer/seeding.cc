#include "worker/trainer/seeding.h"

#include "common/base/sha256.h"
#include "worker/trainer/torch_guard.h"

namespace gridsweep {

uint64_t DeriveSeed(int64_t seed, std::string_view purpose) {
  return std::stoull(Sha256Hex(fmt::format("gridsweep {} {}", purpose, seed)).substr(0, 16), nullptr, 16);
}

at::Generator MakeGenerator(int64_t seed, std::string_view purpose, at::Device device) {
  if (device.is_cpu()) return at::detail::createCPUGenerator(DeriveSeed(seed, purpose));
  // Copying the default generator is the way to a new one that needs no CUDA headers.
  at::Generator generator = at::globalContext().defaultGenerator(device).clone();
  generator.set_current_seed(DeriveSeed(seed, purpose));
  return generator;
}

absl::Status CheckGeneratorState(const at::Generator& generator, const at::Tensor& state) {
  const at::Tensor own = generator.get_state();
  if (state.scalar_type() != own.scalar_type() || state.sizes() != own.sizes())
    return InvalidArgument("the state of a generator has another shape than this device's");
  // Only the generator itself knows what else is wrong with one.
  const absl::Status status = GuardTorch([&]() -> absl::Status {
    generator.clone().set_state(state);
    return absl::OkStatus();
  });
  return status.ok() ? status : InvalidArgument("the state of a generator: {}", Message(status));
}

}  // namespace gridsweep
