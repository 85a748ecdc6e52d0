// The distributions that the statistics here rest on. Boost.Math computes them; this is the only place that knows it.
#pragma once

#include <cstdint>

namespace gridsweep {

// t(0.975, df): the two-sided 95 % quantile of Student's t (Student, "The probable error of a mean", Biometrika 1908) with
// df >= 1 degrees of freedom. Those of few degrees are computed once.
double StudentT975(int64_t df);
// The two-sided 95 % quantile of the standard normal distribution, 1.959963984540054.
double Normal975();

// P(|T| >= |t|) with df >= 1 degrees of freedom; 0 for an infinite t.
double StudentTwoSidedP(double t, int64_t df);
// The t with P(|T| >= t) = p, for 0 < p < 1 and df >= 1 degrees of freedom.
double StudentTwoSidedQuantile(double p, int64_t df);
// P(|Z| >= |z|), Z standard normal.
double NormalTwoSidedP(double z);
// P(F >= f) of Fisher's F with (df1, df2) >= 1 degrees of freedom; 0 for an infinite f.
double FUpperP(double f, int64_t df1, int64_t df2);

}  // namespace gridsweep
