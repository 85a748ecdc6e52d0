// The sweep of the tests with the fake trainer.
#pragma once

namespace gridsweep {

// 8 jobs of 3 epochs.
inline constexpr char kSmallSweep[] = R"(name: small
dataset: tiny
training: {epochs: 3, validation: 0.1}
seeds: [1, 2]
grid:
  model: [mlp, cnn]
  activation: [relu, tanh]
)";

}  // namespace gridsweep
