// The convolutions and matrix products of one training step, alone: what remains of a step once everything
// else costs nothing. Each is offered in several forms (layouts and libraries), so that the fastest LibTorch
// has can be found by trying.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace gridsweep {

// One way to compute a call, on tensors made beforehand; only the result may be allocated anew.
struct CallForm {
  std::string name;  // "A Bt", "NHWC oneDNN"
  std::function<void()> run;
};

struct BareCall {
  std::string name;   // "conv2 input gradient"
  std::string shape;  // "128 x 784 x 256"
  double flop = 0;    // a multiplication and an addition are two; products with the zeros of padding count
  std::vector<CallForm> forms;
};

// In the order of a step: forward, then backward from the last layer. The first layer's input has no gradient.
// `inputs` pixels, hidden layers of 256 and 128 units.
std::vector<BareCall> MlpCalls(int64_t batch, int64_t pixels, int64_t classes);
// Images of `side` x `side` pixels; 3x3 convolutions with 32 and 64 channels, each followed by 2x2 pooling, then a
// hidden layer of 128 units.
std::vector<BareCall> CnnCalls(int64_t batch, int64_t side, int64_t classes);

// Runs each form in turn, `rounds` times, and keeps in each call only the one with the least CPU time; neighbours on
// the machine disturb that less than wall time. Forms that this LibTorch cannot compute are never the fastest.
void KeepFastestForms(std::vector<BareCall>& calls, int rounds);

}  // namespace gridsweep
