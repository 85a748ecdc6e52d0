// One sweep under faults, from a seed: the real queue, store and agents in virtual time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gridsweep {

struct SimulationResult {
  uint64_t seed = 0;
  std::vector<std::string> violations;  // of what must hold afterwards; empty: none
  std::string ranking;                  // of the sweep, without times: what must not depend on faults
  // What it went through.
  int64_t faults = 0;
  int64_t coordinator_lives = 0;
  int64_t attempts = 0;
  int64_t resumes = 0;  // attempts that went on from a checkpoint
  int64_t files = 0;    // checkpoints and models that were recorded
  int64_t models = 0;   // that are kept
  int64_t forgeries = 0;
  double virtual_seconds = 0;
  std::string story;  // the faults with their times
};

// Runs the sweep to its end, or until it can no longer be expected to end. Equal seeds give equal results, to the last bit.
// Seed 0 is the run without faults. `directory` exists and is empty.
SimulationResult Simulate(uint64_t seed, const std::string& directory);

}  // namespace gridsweep
