// Analysis of variance of a grid whose cells may be missing or observed unequally often. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace gridsweep {

// One thing that varies between observations.
struct Factor {
  int levels = 0;
  bool block = false;  // a nuisance, such as the seed: a main effect, but no interactions
};

struct FactorialSample {
  std::vector<Factor> factors;
  std::vector<std::vector<int>> levels;  // per observation, one level per factor
  std::vector<double> values;            // per observation, finite
};

struct VarianceTerm {
  std::vector<int> factors;  // one: its main effect; two: their interaction
  int64_t df = 0;
  double sum_of_squares = 0;
  double share = 0;         // of the total sum of squares about the mean (η², Fisher 1925)
  std::optional<double> f;  // absent without residual variation
  std::optional<double> p;
};

struct MarginalMean {
  int factor = 0;
  int level = 0;
  int64_t observations = 0;
  std::optional<double> mean;  // absent without observations, or where they do not determine it
  std::optional<double> ci;    // half width of the 95 % confidence interval
};

struct VarianceAnalysis {
  int64_t observations = 0;
  double total_sum_of_squares = 0;  // about the mean
  double residual_sum_of_squares = 0;
  int64_t residual_df = 0;
  std::vector<VarianceTerm> terms;  // main effects in the order of factors, then interactions
  std::vector<MarginalMean> means;  // of every level of every factor that is no block
  bool too_large = false;           // nothing was analysed
  std::vector<int> constant;        // factors of which one level was observed at most: not analysed
  // Interactions left out, because nothing would be left to compare with, or because they have too many combinations.
  std::vector<std::pair<int, int>> without;
};

// Interactions are left out, the largest first, until the model has at most so many variables: it takes time in their cube.
// With more main effects than that there is no analysis.
inline constexpr int kMostVariables = 1300;

// Fits main effects and two-way interactions. A term's sum of squares is what it takes off the residuals of the model of all
// terms that do not contain it (type II; Yates, "The analysis of multiple classifications with unequal numbers in the
// different classes", JASA 1934; Langsrud, "ANOVA for unbalanced data", Statistics and Computing 2003), so that the order of
// factors is of no account; its degrees of freedom are what it adds to the rank, so that empty combinations cost none. F
// compares it with the residual of the whole model. If the interactions leave no degree of freedom for the residual they are
// left out, all of them.
//
// A marginal mean is what the model of main effects (blocks among them) predicts for a level, averaged over all combinations
// of the levels of the others with equal weights: unlike a plain mean it is not shifted by which combinations happen to be
// missing (Searle, Speed, Milliken, "Population marginal means in the linear model", American Statistician 1980). Its interval
// takes Student's t at the residual variance of the whole model.
VarianceAnalysis AnalyzeVariance(const FactorialSample& sample);

}  // namespace gridsweep
