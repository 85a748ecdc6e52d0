#include "bench/bare_calls.h"

#include <algorithm>
#include <array>
#include <limits>

#include "bench/timing.h"
#include "common/base/status.h"
#include "worker/trainer/aten.h"

namespace gridsweep {
namespace {

at::Tensor Random(at::IntArrayRef shape) {
  return at::rand(shape).sub_(0.5);
}

// ---- Matrix products ----

at::Tensor Stored(int64_t rows, int64_t columns, bool transposed) {
  return transposed ? Random({columns, rows}).t() : Random({rows, columns});
}

// C[m, n] = A[m, k] B[k, n], each of the three stored by rows or by columns.
BareCall Product(std::string name, int64_t m, int64_t k, int64_t n) {
  BareCall call{std::move(name), fmt::format("{} x {} x {}", m, k, n), 2.0 * m * k * n, {}};
  for (const bool c_transposed : {false, true}) {
    for (const bool b_transposed : {false, true}) {
      for (const bool a_transposed : {false, true}) {
        const at::Tensor a = Stored(m, k, a_transposed), b = Stored(k, n, b_transposed);
        at::Tensor c = Stored(m, n, c_transposed);
        call.forms.push_back({fmt::format("{} {}{}", a_transposed ? "At" : "A", b_transposed ? "Bt" : "B",
                                          c_transposed ? " to Ct" : ""),
                              [a, b, c]() mutable { at::mm_out(c, a, b); }});
      }
    }
  }
  return call;
}

struct LayerCalls {
  BareCall forward;
  std::vector<BareCall> backward;
};

LayerCalls LinearCalls(const std::string& name, int64_t batch, int64_t inputs, int64_t outputs, bool first) {
  LayerCalls calls{Product(name + " forward", batch, inputs, outputs), {}};
  if (!first) calls.backward.push_back(Product(name + " input gradient", batch, outputs, inputs));
  calls.backward.push_back(Product(name + " weight gradient", outputs, batch, inputs));

  // The same three by oneDNN, on its own tensors.
  const at::Tensor weight = Random({outputs, inputs});
  try {
    const at::Tensor x = Random({batch, inputs}).to_mkldnn(), dy = Random({batch, outputs}).to_mkldnn();
    const at::Tensor w = weight.to_mkldnn();
    calls.forward.forms.push_back({"oneDNN", [=] { at::mkldnn_linear(x, w, {}); }});
    if (!first) {
      calls.backward.front().forms.push_back({"oneDNN", [=] {
                                                at::mkldnn_linear_backward_input({batch, inputs}, dy, weight);
                                              }});
    }
    calls.backward.back().forms.push_back(
        {"oneDNN", [=] { at::mkldnn_linear_backward_weights(dy, x, weight, /*bias_defined=*/false); }});
  } catch (const std::exception&) {  // built without oneDNN
  }
  return calls;
}

// ---- Convolutions: 3x3, padding 1 ----

const std::vector<int64_t> kOne = {1, 1}, kZero = {0, 0};

struct ConvolutionTensors {
  at::Tensor x, w, dy;
};

at::Tensor Forward(const ConvolutionTensors& t) {
  return at::convolution(t.x, t.w, {}, kOne, kOne, kOne, /*transposed=*/false, kZero, /*groups=*/1);
}

void Backward(const ConvolutionTensors& t, bool input_gradient) {
  at::convolution_backward(t.dy, t.x, t.w, c10::nullopt, kOne, kOne, kOne, /*transposed=*/false, kZero,
                           /*groups=*/1, std::array<bool, 3>{input_gradient, !input_gradient, false});
}

// oneDNN's own tensors, in the blocked layouts it chooses between two convolutions. An input of one channel has none.
ConvolutionTensors Blocked(const ConvolutionTensors& t) {
  const int64_t inputs = t.x.size(1);
  ConvolutionTensors blocked{
      t.x.to_mkldnn(), at::mkldnn_reorder_conv2d_weight(t.w.to_mkldnn(), kOne, kOne, kOne, 1), {}};
  if (inputs > 1) {
    const at::Tensor pointwise = Random({inputs, inputs, 1, 1});
    blocked.x = at::mkldnn_convolution(blocked.x, pointwise.to_mkldnn(), {}, kZero, kOne, kOne, 1);
  }
  blocked.dy = at::mkldnn_convolution(blocked.x, blocked.w, {}, kOne, kOne, kOne, 1);
  return blocked;
}

LayerCalls ConvolutionCalls(const std::string& name, int64_t batch, int64_t side, int64_t inputs,
                            int64_t outputs, bool first) {
  const std::string shape = fmt::format("{0} x {1} x {2}x{2} to {3}", batch, inputs, side, outputs);
  const double flop = 2.0 * batch * side * side * 9 * inputs * outputs;
  LayerCalls calls{{name + " forward", shape, flop, {}}, {}};
  if (!first) calls.backward.push_back({name + " input gradient", shape, flop, {}});
  calls.backward.push_back({name + " weight gradient", shape, flop, {}});

  const auto add = [&](const std::string& form, const ConvolutionTensors& t, bool onednn) {
    const auto with = [onednn](auto run) {
      return [onednn, run] {
        at::globalContext().setUserEnabledMkldnn(onednn);
        run();
        at::globalContext().setUserEnabledMkldnn(true);
      };
    };
    calls.forward.forms.push_back({form, with([t] { Forward(t); })});
    if (!first) calls.backward.front().forms.push_back({form, with([t] { Backward(t, true); })});
    calls.backward.back().forms.push_back({form, with([t] { Backward(t, false); })});
  };
  const ConvolutionTensors plain{Random({batch, inputs, side, side}), Random({outputs, inputs, 3, 3}),
                                 Random({batch, outputs, side, side})};
  const auto last = at::MemoryFormat::ChannelsLast;
  const ConvolutionTensors channels_last{plain.x.contiguous(last), plain.w.contiguous(last),
                                         plain.dy.contiguous(last)};
  for (const bool onednn : {true, false}) {
    const char* library = onednn ? "oneDNN" : "native";
    add(fmt::format("NCHW {}", library), plain, onednn);
    add(fmt::format("NHWC {}", library), channels_last, onednn);
  }
  try {
    add("blocked oneDNN", Blocked(plain), true);
  } catch (const std::exception&) {  // built without oneDNN
  }
  return calls;
}

std::vector<BareCall> InOrderOfAStep(std::vector<LayerCalls> layers) {
  std::vector<BareCall> calls;
  for (LayerCalls& layer : layers) calls.push_back(std::move(layer.forward));
  std::reverse(layers.begin(), layers.end());
  for (LayerCalls& layer : layers)
    std::move(layer.backward.begin(), layer.backward.end(), std::back_inserter(calls));
  return calls;
}

// CPU seconds, infinite if it cannot be computed.
double CpuSeconds(const CallForm& form) {
  const Times begin = Now();
  try {
    form.run();
  } catch (const std::exception&) {
    at::globalContext().setUserEnabledMkldnn(true);
    return std::numeric_limits<double>::infinity();
  }
  return Now().cpu - begin.cpu;
}

}  // namespace

std::vector<BareCall> MlpCalls(int64_t batch, int64_t pixels, int64_t classes) {
  return InOrderOfAStep({LinearCalls("fc1", batch, pixels, 256, /*first=*/true),
                         LinearCalls("fc2", batch, 256, 128, false),
                         LinearCalls("fc3", batch, 128, classes, false)});
}

std::vector<BareCall> CnnCalls(int64_t batch, int64_t side, int64_t classes) {
  const int64_t half = side / 2, quarter = half / 2;
  return InOrderOfAStep({ConvolutionCalls("conv1", batch, side, 1, 32, /*first=*/true),
                         ConvolutionCalls("conv2", batch, half, 32, 64, false),
                         LinearCalls("fc1", batch, 64 * quarter * quarter, 128, false),
                         LinearCalls("fc2", batch, 128, classes, false)});
}

void KeepFastestForms(std::vector<BareCall>& calls, int rounds) {
  for (BareCall& call : calls) {
    std::vector<double> best(call.forms.size(), std::numeric_limits<double>::infinity());
    for (int round = 0; round < rounds; ++round) {
      for (size_t i = 0; i < best.size(); ++i) best[i] = std::min(best[i], CpuSeconds(call.forms[i]));
    }
    CallForm fastest = call.forms[std::min_element(best.begin(), best.end()) - best.begin()];
    call.forms = {std::move(fastest)};
  }
}

}  // namespace gridsweep
