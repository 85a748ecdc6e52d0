// Runs a loop with the widest vector instructions that the CPU has. Without sums over the vectorized index, and with
// the compiler kept from contracting a product and a sum (see CMakeLists.txt), every width gives the same bits.
#pragma once

namespace gridsweep {
namespace widest {

template <typename Body>
void Baseline(const Body& body) {
  body();
}

#if defined(__x86_64__) && defined(__GNUC__)
template <typename Body>
[[gnu::target("avx2")]] void Avx2(const Body& body) {
  body();
}
template <typename Body>
[[gnu::target("avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512")]] void Avx512(const Body& body) {
  body();
}
#endif

}  // namespace widest

// REQUIRES: `body` is always inlined, so that it is compiled anew for each set of instructions:
//   RunWidest([&]() __attribute__((always_inline)) { for (…) … });
template <typename Body>
void RunWidest(const Body& body) {
#if defined(__x86_64__) && defined(__GNUC__)
  if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl"))
    return widest::Avx512(body);
  if (__builtin_cpu_supports("avx2")) return widest::Avx2(body);
#endif
  widest::Baseline(body);
}

}  // namespace gridsweep
