#include "common/results/least_squares.h"

#include <Eigen/Core>
#include <Eigen/QR>
#include <cmath>
#include <utility>

namespace gridsweep {
namespace {

// A pivot below this share of the largest is rounding error: the variable depends on those before it. Of indicators of factors
// the smallest true ones are above 1e-5.
constexpr double kPivotTolerance = 1e-9;
// How far off a combination may be that the observations still determine.
constexpr double kEstimableTolerance = 1e-7;

// (XᵀX)⁻, a generalized inverse of a symmetric positive semidefinite matrix that leaves dependent rows out.
class SymmetricInverse {
 public:
  explicit SymmetricInverse(const Eigen::MatrixXd& matrix)
      : scale_(matrix.diagonal().unaryExpr([](double d) { return d > 0 ? 1 / std::sqrt(d) : 0; })) {
    decomposition_.setThreshold(kPivotTolerance);
    decomposition_.compute(scale_.asDiagonal() * matrix * scale_.asDiagonal());
  }

  int64_t rank() const { return decomposition_.rank(); }

  Eigen::VectorXd Apply(const Eigen::VectorXd& right) const {
    return scale_.cwiseProduct(Eigen::VectorXd(decomposition_.solve(scale_.cwiseProduct(right))));
  }

 private:
  Eigen::VectorXd scale_;
  Eigen::ColPivHouseholderQR<Eigen::MatrixXd> decomposition_;
};

}  // namespace

struct IndicatorRegression::Matrices {
  Eigen::MatrixXd cross_products;  // XᵀX, the constant first

  // Of the constant and some variables.
  Eigen::MatrixXd Select(const std::vector<int>& variables) const {
    const auto n = static_cast<Eigen::Index>(variables.size()) + 1;
    const auto index = [&](Eigen::Index i) { return i == 0 ? 0 : variables[static_cast<size_t>(i - 1)] + 1; };
    Eigen::MatrixXd selected(n, n);
    for (Eigen::Index column = 0; column < n; ++column) {
      for (Eigen::Index row = 0; row < n; ++row)
        selected(row, column) = cross_products(index(row), index(column));
    }
    return selected;
  }
};

IndicatorRegression::IndicatorRegression(std::vector<std::vector<int>> ones, std::vector<double> values,
                                         int variables)
    : ones_(std::move(ones)), centred_(std::move(values)), matrices_(std::make_unique<Matrices>()) {
  for (const double value : centred_) mean_ += value;
  mean_ /= static_cast<double>(centred_.size());
  for (double& value : centred_) value -= mean_;
  Eigen::MatrixXd& cross = matrices_->cross_products;
  cross = Eigen::MatrixXd::Zero(variables + 1, variables + 1);
  cross(0, 0) = static_cast<double>(ones_.size());
  for (const std::vector<int>& row : ones_) {
    for (const int a : row) {
      cross(0, a + 1) += 1;
      cross(a + 1, 0) += 1;
      for (const int b : row) cross(a + 1, b + 1) += 1;
    }
  }
}

IndicatorRegression::~IndicatorRegression() = default;

IndicatorRegression::Fit IndicatorRegression::FitVariables(const std::vector<int>& variables) const {
  const SymmetricInverse inverse(matrices_->Select(variables));
  // Where each variable is in the fit; -1: left out.
  std::vector<int> place(static_cast<size_t>(matrices_->cross_products.rows() - 1), -1);
  for (size_t i = 0; i < variables.size(); ++i)
    place[static_cast<size_t>(variables[i])] = static_cast<int>(i) + 1;

  const auto size = static_cast<Eigen::Index>(variables.size()) + 1;
  Eigen::VectorXd coefficients = Eigen::VectorXd::Zero(size);
  std::vector<double> residuals = centred_;
  // The second time for the residuals that rounding left.
  for (int step = 0; step < 2; ++step) {
    Eigen::VectorXd products = Eigen::VectorXd::Zero(size);
    for (size_t i = 0; i < ones_.size(); ++i) {
      products[0] += residuals[i];
      for (const int variable : ones_[i]) {
        if (const int at = place[static_cast<size_t>(variable)]; at >= 0) products[at] += residuals[i];
      }
    }
    coefficients += inverse.Apply(products);
    for (size_t i = 0; i < ones_.size(); ++i) {
      double fitted = coefficients[0];
      for (const int variable : ones_[i]) {
        if (const int at = place[static_cast<size_t>(variable)]; at >= 0) fitted += coefficients[at];
      }
      residuals[i] = centred_[i] - fitted;
    }
  }

  Fit fit{.rank = inverse.rank(), .coefficients = {coefficients.begin(), coefficients.end()}};
  fit.coefficients[0] += mean_;
  for (const double residual : residuals) fit.residual_sum_of_squares += residual * residual;
  return fit;
}

std::vector<std::optional<IndicatorRegression::Combination>> IndicatorRegression::Combine(
    const std::vector<int>& variables, const std::vector<std::vector<double>>& weights) const {
  const Eigen::MatrixXd selected = matrices_->Select(variables);
  const SymmetricInverse inverse(selected);
  const Fit fit = FitVariables(variables);
  std::vector<std::optional<Combination>> results;
  for (const std::vector<double>& combination : weights) {
    const Eigen::Map<const Eigen::VectorXd> c(combination.data(),
                                              static_cast<Eigen::Index>(combination.size()));
    const Eigen::VectorXd solution = inverse.Apply(c);
    std::optional<Combination>& result = results.emplace_back();
    if ((selected * solution - c).cwiseAbs().maxCoeff() > kEstimableTolerance) continue;
    result = Combination{.variance_factor = c.dot(solution)};
    for (size_t i = 0; i < combination.size(); ++i) result->value += combination[i] * fit.coefficients[i];
  }
  return results;
}

}  // namespace gridsweep
