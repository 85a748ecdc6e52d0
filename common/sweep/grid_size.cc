#include "common/sweep/grid_size.h"

#include <algorithm>
#include <cmath>

#include "common/base/status.h"

namespace gridsweep {

GridSize::GridSize(int64_t n) : value_(n), log10_(std::log10(static_cast<double>(n))) {}

void GridSize::Add(const GridSize& other) {
  const double high = std::max(log10_, other.log10_);
  const double low = std::min(log10_, other.log10_);
  exact_ = exact_ && other.exact_ && !__builtin_add_overflow(value_, other.value_, &value_);
  log10_ = std::isinf(high) ? high : high + std::log10(1.0 + std::pow(10.0, low - high));
}

void GridSize::Multiply(const GridSize& other) {
  exact_ = exact_ && other.exact_ && !__builtin_mul_overflow(value_, other.value_, &value_);
  log10_ += other.log10_;
}

std::string GridSize::Text() const {
  if (exact_) return CountText(value_);
  const double exponent = std::floor(log10_);
  return fmt::format("about {:.1f}e+{:.0f}", std::pow(10.0, log10_ - exponent), exponent);
}

std::string CountText(int64_t n) {
  std::string digits = fmt::format("{}", n);
  const size_t first = n < 0 ? 1 : 0;
  for (size_t at = digits.size(); at > first + 3;) {
    at -= 3;
    digits.insert(at, ",");
  }
  return digits;
}

}  // namespace gridsweep
