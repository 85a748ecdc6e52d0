// What must hold after any run, whatever went wrong in it.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "tests/simulation/simulation.h"

namespace gridsweep {

// Adds to `result` what does not hold in `database`, the number of attempts, and the ranking. `acknowledged`: the highest
// sequence number that each attempt's worker was told is stored.
void CheckInvariants(const std::string& database, const std::map<int64_t, uint64_t>& acknowledged,
                     SimulationResult& result);

}  // namespace gridsweep
