// Where a job's randomness comes from: one generator per purpose, each a function of (seed, purpose) alone.
// The library's global generators are never touched, so a job's numbers do not depend on what else the
// process does, and jobs with one seed see the same batches whatever else differs between them.
#pragma once

#include <cstdint>
#include <string_view>

#include "common/base/status.h"
#include "worker/trainer/aten.h"

namespace gridsweep {

inline constexpr std::string_view kInitPurpose = "init";        // weights; on the CPU
inline constexpr std::string_view kShufflePurpose = "shuffle";  // order of the batches; on the CPU
inline constexpr std::string_view kDropoutPurpose = "dropout";  // masks; on the device

// The first 64 bits of SHA-256("gridsweep PURPOSE SEED"). Must never change: recorded results depend on it.
uint64_t DeriveSeed(int64_t seed, std::string_view purpose);

at::Generator MakeGenerator(int64_t seed, std::string_view purpose, at::Device device);

// INVALID_ARGUMENT if `state`, from a file, cannot be one of `generator`'s.
absl::Status CheckGeneratorState(const at::Generator& generator, const at::Tensor& state);

}  // namespace gridsweep
