// All chance of a simulation, from one seed.
#pragma once

#include <cstdint>
#include <random>
#include <string>

#include "absl/time/time.h"
#include "common/base/status.h"

namespace gridsweep {

// Uses no std::*_distribution: their numbers differ between libraries, and a seed must replay everywhere.
class SimRandom {
 public:
  explicit SimRandom(uint64_t seed) : engine_(seed) {}

  double Unit() { return static_cast<double>(engine_() >> 11U) * 0x1p-53; }  // in [0, 1)
  bool Chance(double p) { return Unit() < p; }
  int64_t Below(int64_t n) { return static_cast<int64_t>(Unit() * static_cast<double>(n)); }
  absl::Duration Between(absl::Duration low, absl::Duration high) { return low + Unit() * (high - low); }
  std::string Hex32() { return fmt::format("{:016x}{:016x}", engine_(), engine_()); }
  std::mt19937_64& engine() { return engine_; }

 private:
  std::mt19937_64 engine_;
};

}  // namespace gridsweep
