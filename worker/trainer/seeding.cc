#include "worker/trainer/seeding.h"

#include "common/base/sha256.h"
#include "common/base/status.h"

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

}  // namespace gridsweep
