// Quantiles of Student's t. For few degrees of freedom the distribution function is a finite sum (Abramowitz
// and Stegun, "Handbook of Mathematical Functions", 26.7.3 and 26.7.4) that is inverted by bisection; for
// many, the Cornish-Fisher expansion (26.7.5) has an error below 1e-8.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>

#include "common/results/ranking.h"

namespace gridsweep {
namespace {

constexpr int64_t kExactBelow = 40;

// P(|T| <= t) with `df` degrees of freedom.
double TwoSidedProbability(double t, int64_t df) {
  const double theta = std::atan(t / std::sqrt(static_cast<double>(df)));
  const double cosine = std::cos(theta);
  const bool odd = df % 2 == 1;
  double term = odd ? cosine : 1.0;
  double sum = df == 1 ? 0.0 : term;
  for (int64_t k = odd ? 2 : 1; k <= df - 3; k += 2) {
    term *= static_cast<double>(k) / static_cast<double>(k + 1) * cosine * cosine;
    sum += term;
  }
  if (odd) return 2.0 / std::numbers::pi * (theta + std::sin(theta) * sum);
  return std::sin(theta) * sum;
}

double CornishFisher(double z, double df) {
  const double z2 = z * z;
  const double g1 = z * (z2 + 1) / 4;
  const double g2 = z * ((5 * z2 + 16) * z2 + 3) / 96;
  const double g3 = z * (((3 * z2 + 19) * z2 + 17) * z2 - 15) / 384;
  const double g4 = z * ((((79 * z2 + 776) * z2 + 1482) * z2 - 1920) * z2 - 945) / 92160;
  return z + (g1 + (g2 + (g3 + g4 / df) / df) / df) / df;
}

double Exact975(int64_t df) {
  double low = 1.9;
  double high = 13.0;  // t(0.975, 1) = 12.706
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (TwoSidedProbability(middle, df) < 0.95 ? low : high) = middle;
  }
  return (low + high) / 2;
}

// Of every result that is stored, the interval of its cell is computed anew.
const std::array<double, kExactBelow>& ExactTable() {
  static const std::array<double, kExactBelow> table = [] {
    std::array<double, kExactBelow> quantiles{};
    for (int64_t df = 1; df < kExactBelow; ++df) quantiles[static_cast<size_t>(df)] = Exact975(df);
    return quantiles;
  }();
  return table;
}

}  // namespace

double StudentT975(int64_t df) {
  if (df < kExactBelow) return ExactTable()[static_cast<size_t>(std::max<int64_t>(df, 1))];
  return CornishFisher(1.959963984540054, static_cast<double>(df));
}

}  // namespace gridsweep
