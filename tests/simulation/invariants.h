// What must hold after any run, whatever went wrong in it.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "tests/simulation/simulation.h"

namespace gridsweep {

// What workers were told.
struct Acknowledged {
  std::map<int64_t, uint64_t> events;  // the highest sequence number stored, by attempt
  std::set<int64_t> models;            // attempts whose model is stored, or not wanted
};

// Adds to `result` what does not hold in `database` and the files beside it, the numbers of attempts and models, and the
// ranking.
void CheckInvariants(const std::string& database, const Acknowledged& acknowledged, SimulationResult& result);

}  // namespace gridsweep
