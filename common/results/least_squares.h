// Least squares on 0/1 variables: fits of many models to one set of observations. Eigen solves them; this is the only place
// that knows it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace gridsweep {

class IndicatorRegression {
 public:
  // A fit of some of the variables, with a constant.
  struct Fit {
    int64_t rank = 0;  // of the constant and the variables: dependent ones count once
    double residual_sum_of_squares = 0;
    // Of the constant first, then of the variables in the order they were named; 0 for those that depend on others.
    std::vector<double> coefficients;
  };

  // ones[i]: the variables that are 1 in observation i, each below `variables`; values[i]: what was observed, finite.
  IndicatorRegression(std::vector<std::vector<int>> ones, std::vector<double> values, int variables);
  ~IndicatorRegression();

  // Minimizes the sum of squared residuals by the normal equations, whose matrix is of whole numbers and exact, with a QR
  // decomposition that pivots columns and so reveals the rank (Golub and Van Loan, "Matrix Computations", 5.4), and one step
  // of iterative refinement on the residuals themselves. Takes time in the cube of the number of variables.
  Fit FitVariables(const std::vector<int>& variables) const;

  // A linear combination of a fit's coefficients, weights in their order.
  struct Combination {
    double value = 0;
    double variance_factor = 0;  // cᵀ(XᵀX)⁻c: its variance in units of the residual variance
  };
  // One each; nullopt if the observations do not determine it.
  std::vector<std::optional<Combination>> Combine(const std::vector<int>& variables,
                                                  const std::vector<std::vector<double>>& weights) const;

 private:
  struct Matrices;
  std::vector<std::vector<int>> ones_;
  std::vector<double> centred_;  // values less their mean, which saves digits
  double mean_ = 0;
  std::unique_ptr<Matrices> matrices_;
};

}  // namespace gridsweep
