// A number of combinations, which a few short lists can push far beyond 64 bits.
#pragma once

#include <cstdint>
#include <string>

namespace gridsweep {

class GridSize {
 public:
  explicit GridSize(int64_t n);

  void Add(const GridSize& other);
  void Multiply(const GridSize& other);

  bool Exceeds(int64_t limit) const { return !exact_ || value_ > limit; }
  // REQUIRES: !Exceeds(some limit).
  int64_t value() const { return value_; }
  // "1,234", or "about 3.2e+60" where 64 bits are not enough.
  std::string Text() const;

 private:
  bool exact_ = true;
  int64_t value_ = 0;   // only while exact_
  double log10_ = 0.0;  // of the size; only once it is not exact
};

// "1,234,567".
std::string CountText(int64_t n);

}  // namespace gridsweep
