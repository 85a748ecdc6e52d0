// How many combinations each rule excludes, by sets of values instead of one combination after the other.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "common/sweep/sweep_spec.h"

namespace gridsweep {

// By rule of spec.exclude: the combinations that it excludes and no earlier rule does. `rules` has by axis, `words` for
// each value, the rules that the value does not contradict.
std::vector<int64_t> CountExclusions(const SweepSpec& spec, size_t words,
                                     const std::array<std::vector<uint64_t>, kAxisCount>& rules);

}  // namespace gridsweep
