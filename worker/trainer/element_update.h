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
// On CPUs the loop is compiled for several instruction sets and the widest that the CPU has is used; without sums,
// and with the compiler kept from contracting a product and a sum, all give the same bits.
#pragma once

#include <tuple>

#include "worker/trainer/aten.h"

namespace gridsweep {
namespace element_update {

// Always inlined, so that it is compiled for each caller's instruction set.
template <typename Rule, typename... Pointers>
[[gnu::always_inline]] inline void Loop(const Rule& rule, int64_t n, Pointers... buffers) {
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) rule(buffers[i]...);
}

template <typename Rule, typename... Pointers>
void Baseline(const Rule& rule, int64_t n, Pointers... buffers) {
  Loop(rule, n, buffers...);
}

#if defined(__x86_64__) && defined(__GNUC__)
template <typename Rule, typename... Pointers>
[[gnu::target("avx2")]] void Avx2(const Rule& rule, int64_t n, Pointers... buffers) {
  Loop(rule, n, buffers...);
}
template <typename Rule, typename... Pointers>
[[gnu::target("avx512f,prefer-vector-width=512")]] void Avx512(const Rule& rule, int64_t n,
                                                               Pointers... buffers) {
  Loop(rule, n, buffers...);
}
template <typename Rule, typename... Pointers>
void Fastest(const Rule& rule, int64_t n, Pointers... buffers) {
  if (__builtin_cpu_supports("avx512f")) return Avx512(rule, n, buffers...);
  if (__builtin_cpu_supports("avx2")) return Avx2(rule, n, buffers...);
  Baseline(rule, n, buffers...);
}
#else
template <typename Rule, typename... Pointers>
void Fastest(const Rule& rule, int64_t n, Pointers... buffers) {
  Baseline(rule, n, buffers...);
}
#endif

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
    element_update::Fastest(rule, first.numel(), first.template data_ptr<float>(),
                            rest.template data_ptr<float>()...);
  } else {
    element_update::OnTensors(rule, first, rest...);
  }
}

}  // namespace gridsweep
