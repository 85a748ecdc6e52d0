// Randomness that must be unpredictable (tokens, session ids) or merely spread out (jitter). Never used for
// training: see worker/trainer/seeding.h.
#pragma once

#include <string>

namespace gridsweep {

// `bytes` bytes from the kernel's generator as lower-case hex, 2 digits a byte.
std::string RandomHex(int bytes);

// Uniform in [0, 1). Thread-safe.
double RandomUnit();

}  // namespace gridsweep
