// One pass over several buffers of equal length: the body of every optimizer.
//
// A rule is written once, for values of type T with the operators + - * / and sqrt, and used twice: with T = float
// in a loop that the compiler vectorizes, on CPUs; with T = at::Tensor, whole buffers at a time, anywhere else.
//
//   struct Descend {
//     float lr;
//     template <typename T>
//     void operator()(T& value, T& gradient) const { value = value - gradient * lr; }
//   };
//   UpdateElements(Descend{0.1f}, values, gradients);
//
// On CPUs the loop runs with the widest instructions there are (widest.h).
#pragma once

#include <tuple>

#include "worker/trainer/aten.h"
#include "worker/trainer/widest.h"

namespace gridsweep {
namespace element_update {

// The rule on one element after the other.
template <typename Rule, typename... Pointers>
[[gnu::always_inline]] inline void Loop(const Rule& rule, int64_t n, Pointers... buffers) {
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) rule(buffers[i]...);
}

inline void Assign(const at::Tensor& buffer, const at::Tensor& result) {
  if (!result.is_same(buffer)) buffer.copy_(result);
}

// The rule on whole buffers, by LibTorch's operators.
template <typename Rule, typename... Tensors>
void OnTensors(const Rule& rule, const Tensors&... buffers) {
  std::tuple<Tensors...> results(buffers...);
  std::apply(
      [&](auto&... result) {
        rule(result...);
        (Assign(buffers, result), ...);
      },
      results);
}

}  // namespace element_update

// REQUIRES: `buffers` are float tensors of one length, contiguous, on one device, none overlapping another;
// gradient mode is off.
template <typename Rule, typename First, typename... Rest>
void UpdateElements(const Rule& rule, const First& first, const Rest&... rest) {
  if (first.is_cpu()) {
    [&rule](int64_t n, auto*... buffers) {
      RunWidest([&]() __attribute__((always_inline)) { element_update::Loop(rule, n, buffers...); });
    }(first.numel(), first.template data_ptr<float>(), rest.template data_ptr<float>()...);
  } else {
    element_update::OnTensors(rule, first, rest...);
  }
}

}  // namespace gridsweep
