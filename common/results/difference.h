// Two cells compared: by how much do they differ, and is the difference more than chance? Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "common/results/mean_interval.h"

namespace gridsweep {

// a minus b.
struct Difference {
  Evidence evidence = Evidence::kNone;
  int64_t n = 0;             // seeds that both have
  double mean = 0;           // over those; without one, of the two means
  std::optional<double> ci;  // half width of its 95 % confidence interval
  std::optional<double> p;   // two-sided, against no difference
};

// Both sorted by seed, neither empty.
//
// With two or more common seeds: the paired t test (Student 1908) on the differences seed by seed, which have n - 1 degrees of
// freedom. Jobs with one seed share split, order of batches and first weights, so that the differences vary less than either.
// A share of N images is a multiple of 1/N: the variance of a difference is at least that of two rounding errors, 2·(1/N)²/12
// (Sheppard, Proc. London Math. Soc. 1898), lest a coincidence of two seeds pass for certainty.
//
// With one common seed, or two lone jobs of different seeds, and shares of N images: the normal approximation with variance (p(1-p) + q(1-q))/N (Wald). As both cells
// are measured on the same images, the true variance is smaller: the test errs on the side of "cannot tell".
//
// Otherwise there is a difference of means and no evidence.
Difference Compare(const std::vector<SeedValue>& a, const std::vector<SeedValue>& b, const Measure& measure);

// Adjusts p values for having looked at all of them: sorted, the i-th of m (from 1) becomes the largest of (m - j + 1)·p_j for
// j <= i, at most 1. Rejecting what is below 0.05 then errs at all in at most 5 % of families (Holm, "A simple sequentially
// rejective multiple test procedure", Scand. J. Statistics 1979).
std::vector<double> HolmAdjusted(const std::vector<double>& p);

}  // namespace gridsweep
