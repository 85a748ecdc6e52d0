#include "common/results/distributions.h"

#include <algorithm>
#include <array>
#include <boost/math/distributions/fisher_f.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>

namespace gridsweep {
namespace {

namespace math = boost::math;

constexpr int64_t kTabled = 64;

double Quantile975(int64_t df) {
  return math::quantile(math::students_t(static_cast<double>(df)), 0.975);
}

}  // namespace

double StudentT975(int64_t df) {
  // Of every result that is stored, the interval of its cell is computed anew.
  static const std::array<double, kTabled> table = [] {
    std::array<double, kTabled> quantiles{};
    for (int64_t i = 1; i < kTabled; ++i) quantiles[static_cast<size_t>(i)] = Quantile975(i);
    return quantiles;
  }();
  df = std::max<int64_t>(df, 1);
  return df < kTabled ? table[static_cast<size_t>(df)] : Quantile975(df);
}

double Normal975() {
  return 1.959963984540054;
}

double StudentTwoSidedP(double t, int64_t df) {
  if (std::isinf(t)) return 0;
  return 2 * math::cdf(math::complement(math::students_t(static_cast<double>(df)), std::abs(t)));
}

double StudentTwoSidedQuantile(double p, int64_t df) {
  return math::quantile(math::complement(math::students_t(static_cast<double>(df)), p / 2));
}

double NormalTwoSidedP(double z) {
  if (std::isinf(z)) return 0;
  return 2 * math::cdf(math::complement(math::normal(), std::abs(z)));
}

double FUpperP(double f, int64_t df1, int64_t df2) {
  if (std::isinf(f)) return 0;
  return math::cdf(
      math::complement(math::fisher_f(static_cast<double>(df1), static_cast<double>(df2)), std::max(f, 0.0)));
}

}  // namespace gridsweep
