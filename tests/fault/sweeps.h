// The sweeps that the fault tests run.
#pragma once

namespace gridsweep {

// 12 jobs of 3 epochs.
inline constexpr char kFaultSweep[] = R"(name: faults
dataset: tiny
training: {epochs: 3, validation: 0.1}
seeds: [1, 2, 3]
grid:
  model: [mlp, cnn]
  activation: [relu, tanh]
)";

// One job of 3 epochs.
inline constexpr char kFaultJob[] = R"(name: one
dataset: tiny
training: {epochs: 3, validation: 0.1}
seeds: [1]
grid: {model: mlp}
)";

inline constexpr char kLossesSql[] = "SELECT sum(losses) FROM v_jobs";
inline constexpr char kFailuresSql[] = "SELECT sum(failures) FROM v_jobs";
inline constexpr char kPreemptionsSql[] = "SELECT sum(preemptions) FROM v_jobs";
inline constexpr char kAttemptsSql[] = "SELECT count(*) FROM v_attempts";
inline constexpr char kEpochsSql[] = "SELECT count(*) FROM v_epochs";
// Jobs whose trainer has begun and that have not ended.
inline constexpr char kTrainingSql[] =
    "SELECT count(*) FROM v_attempts WHERE state = 'open' AND device <> ''";

}  // namespace gridsweep
