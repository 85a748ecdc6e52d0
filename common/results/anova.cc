#include "common/results/anova.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "common/results/distributions.h"
#include "common/results/least_squares.h"

namespace gridsweep {
namespace {

// Residuals of less than this share of the total are rounding errors of an exact fit.
constexpr double kExactFit = 1e-20;

// A term of the model with its variables: one for each level, or combination of levels, but the first of each factor.
struct Term {
  std::vector<int> factors;
  std::vector<int> variables;

  bool Contains(const Term& other) const {
    return std::includes(factors.begin(), factors.end(), other.factors.begin(), other.factors.end());
  }
};

// The model of a sample: which variable stands for what.
class Model {
 public:
  explicit Model(const FactorialSample& sample) : sample_(sample), ones_(sample.values.size()) {
    for (int factor = 0; factor < Count(sample.factors); ++factor) AddMainEffect(factor);
    main_effects_ = terms_.size();
  }

  // Adds the interactions, smallest first, that keep the model below `most` variables. Returns those left out.
  std::vector<std::pair<int, int>> AddInteractions(int most) {
    std::vector<std::pair<int, std::pair<int, int>>> pairs;  // by size
    for (size_t a = 0; a < main_effects_; ++a) {
      for (size_t b = a + 1; b < main_effects_; ++b) {
        const Term& first = terms_[a];
        const Term& second = terms_[b];
        if (sample_.factors[At(first.factors[0])].block || sample_.factors[At(second.factors[0])].block)
          continue;
        pairs.push_back({Count(first.variables) * Count(second.variables), {Count(a), Count(b)}});
      }
    }
    std::sort(pairs.begin(), pairs.end());
    std::vector<std::pair<int, int>> without;
    for (const auto& [size, pair] : pairs) {
      const std::pair<int, int> factors = {terms_[At(pair.first)].factors[0],
                                           terms_[At(pair.second)].factors[0]};
      if (variables_ + size > most) {
        without.push_back(factors);
      } else {
        AddInteraction(factors);
      }
    }
    std::sort(terms_.begin() + static_cast<std::ptrdiff_t>(main_effects_), terms_.end(),
              [](const Term& a, const Term& b) { return a.factors < b.factors; });
    std::sort(without.begin(), without.end());
    return without;
  }

  const std::vector<Term>& terms() const { return terms_; }
  size_t main_effects() const { return main_effects_; }
  const std::vector<int>& constant() const { return constant_; }
  int variables() const { return variables_; }
  IndicatorRegression Regression() const { return {ones_, sample_.values, variables_}; }

  // The levels of a factor that were observed, the reference level first.
  const std::vector<int>& observed(int factor) const { return observed_[At(factor)]; }

 private:
  static size_t At(int i) { return static_cast<size_t>(i); }
  template <typename T>
  static int Count(const std::vector<T>& of) {
    return static_cast<int>(of.size());
  }
  static int Count(size_t n) { return static_cast<int>(n); }

  void AddMainEffect(int factor) {
    std::vector<int> place(At(sample_.factors[At(factor)].levels), -1);
    for (const std::vector<int>& levels : sample_.levels) place[At(levels[At(factor)])] = 0;
    std::vector<int>& observed = observed_.emplace_back();
    for (int level = 0; level < Count(place); ++level) {
      if (place[At(level)] < 0) continue;
      place[At(level)] = Count(observed);
      observed.push_back(level);
    }
    if (observed.size() < 2) {
      constant_.push_back(factor);
      return;
    }
    Term term{.factors = {factor}, .variables = {}};
    for (size_t level = 1; level < observed.size(); ++level) term.variables.push_back(variables_++);
    for (size_t i = 0; i < ones_.size(); ++i) {
      const int level = place[At(sample_.levels[i][At(factor)])];
      if (level > 0) ones_[i].push_back(term.variables[At(level - 1)]);
    }
    terms_.push_back(std::move(term));
  }

  void AddInteraction(std::pair<int, int> factors) {
    Term term{.factors = {factors.first, factors.second}, .variables = {}};
    const int first_reference = observed_[At(factors.first)].front();
    const int second_reference = observed_[At(factors.second)].front();
    std::map<std::pair<int, int>, int> variable;  // by levels; those never observed need none
    for (size_t i = 0; i < ones_.size(); ++i) {
      const std::pair<int, int> levels = {sample_.levels[i][At(factors.first)],
                                          sample_.levels[i][At(factors.second)]};
      if (levels.first == first_reference || levels.second == second_reference) continue;
      const auto [it, is_new] = variable.emplace(levels, variables_);
      if (is_new) term.variables.push_back(variables_++);
      ones_[i].push_back(it->second);
    }
    if (!term.variables.empty()) terms_.push_back(std::move(term));
  }

  const FactorialSample& sample_;
  std::vector<std::vector<int>> ones_;
  std::vector<std::vector<int>> observed_;
  std::vector<int> constant_;
  std::vector<Term> terms_;
  size_t main_effects_ = 0;
  int variables_ = 0;
};

// Fits of models that are made of some of the terms, each made once.
class Fits {
 public:
  explicit Fits(const Model& model) : model_(model), regression_(model.Regression()) {}

  template <typename Belongs>
  const IndicatorRegression::Fit& Of(Belongs belongs) {
    std::vector<int> variables = Variables(belongs);
    const auto it = fits_.find(variables);
    if (it != fits_.end()) return it->second;
    IndicatorRegression::Fit fit = regression_.FitVariables(variables);
    return fits_.emplace(std::move(variables), std::move(fit)).first->second;
  }

  template <typename Belongs>
  std::vector<int> Variables(Belongs belongs) const {
    std::vector<int> variables;
    for (const Term& term : model_.terms()) {
      if (belongs(term)) variables.insert(variables.end(), term.variables.begin(), term.variables.end());
    }
    return variables;
  }

  const IndicatorRegression& regression() const { return regression_; }

 private:
  const Model& model_;
  IndicatorRegression regression_;
  std::map<std::vector<int>, IndicatorRegression::Fit> fits_;
};

bool IsMainEffect(const Term& term) {
  return term.factors.size() == 1;
}

double SumOfSquares(const std::vector<double>& values) {
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  double sum = 0;
  for (const double value : values) sum += (value - mean) * (value - mean);
  return sum;
}

void AddTerms(const Model& model, Fits& fits, VarianceAnalysis& analysis) {
  const double residual_variance =
      analysis.residual_df > 0 ? analysis.residual_sum_of_squares / static_cast<double>(analysis.residual_df)
                               : 0;
  for (const Term& term : model.terms()) {
    const auto base = fits.Of([&term](const Term& other) { return !other.Contains(term); });
    const auto with = fits.Of(
        [&term](const Term& other) { return !other.Contains(term) || other.factors == term.factors; });
    VarianceTerm result{.factors = term.factors, .df = with.rank - base.rank};
    if (result.df == 0) {  // its combinations are those of other terms
      if (term.factors.size() == 2) analysis.without.emplace_back(term.factors[0], term.factors[1]);
      continue;
    }
    result.sum_of_squares = std::max(0.0, base.residual_sum_of_squares - with.residual_sum_of_squares);
    result.share = std::min(1.0, result.sum_of_squares / analysis.total_sum_of_squares);
    if (residual_variance > 0) {
      result.f = result.sum_of_squares / static_cast<double>(result.df) / residual_variance;
      result.p = FUpperP(*result.f, result.df, analysis.residual_df);
    }
    analysis.terms.push_back(std::move(result));
  }
}

// Weights of the constant and of the main effects' variables that make a level's marginal mean.
std::vector<double> MarginalWeights(const Model& model, int factor, int level) {
  std::vector<double> weights = {1};
  for (size_t i = 0; i < model.main_effects(); ++i) {
    const Term& term = model.terms()[i];
    const std::vector<int>& observed = model.observed(term.factors[0]);
    for (size_t k = 1; k < observed.size(); ++k) {
      if (term.factors[0] == factor) {
        weights.push_back(observed[k] == level ? 1 : 0);
      } else {
        weights.push_back(1 / static_cast<double>(observed.size()));
      }
    }
  }
  return weights;
}

void AddMarginalMeans(const FactorialSample& sample, const Model& model, const Fits& fits,
                      VarianceAnalysis& analysis) {
  std::vector<std::vector<double>> weights;  // of those that were observed
  for (int factor = 0; factor < static_cast<int>(sample.factors.size()); ++factor) {
    const Factor& of = sample.factors[static_cast<size_t>(factor)];
    if (of.block) continue;
    for (int level = 0; level < of.levels; ++level) {
      MarginalMean mean{.factor = factor, .level = level};
      for (const auto& levels : sample.levels)
        mean.observations += levels[static_cast<size_t>(factor)] == level;
      if (mean.observations > 0) weights.push_back(MarginalWeights(model, factor, level));
      analysis.means.push_back(mean);
    }
  }
  const auto combined = fits.regression().Combine(fits.Variables(IsMainEffect), weights);
  auto next = combined.begin();
  for (MarginalMean& mean : analysis.means) {
    if (mean.observations == 0) continue;
    const std::optional<IndicatorRegression::Combination>& estimate = *next++;
    if (!estimate) continue;
    mean.mean = estimate->value;
    if (analysis.residual_df <= 0) continue;
    const double variance = analysis.residual_sum_of_squares / static_cast<double>(analysis.residual_df);
    mean.ci = StudentT975(analysis.residual_df) * std::sqrt(variance * estimate->variance_factor);
  }
}

}  // namespace

VarianceAnalysis AnalyzeVariance(const FactorialSample& sample) {
  VarianceAnalysis analysis{.observations = static_cast<int64_t>(sample.values.size())};
  if (sample.values.empty()) return analysis;
  analysis.total_sum_of_squares = SumOfSquares(sample.values);
  const auto all = [](const Term&) { return true; };
  const auto analyze = [&](const Model& model) {
    Fits fits(model);
    const IndicatorRegression::Fit& full = fits.Of(all);
    analysis.residual_df = analysis.observations - full.rank;
    if (analysis.residual_df <= 0 && model.terms().size() > model.main_effects()) return false;
    const bool exact = full.residual_sum_of_squares <= kExactFit * analysis.total_sum_of_squares;
    analysis.residual_sum_of_squares = exact ? 0 : full.residual_sum_of_squares;
    if (analysis.total_sum_of_squares > 0) AddTerms(model, fits, analysis);
    AddMarginalMeans(sample, model, fits, analysis);
    return true;
  };
  Model model(sample);
  analysis.constant = model.constant();
  analysis.too_large = model.variables() > kMostVariables;
  if (analysis.too_large) return analysis;
  analysis.without = model.AddInteractions(kMostVariables);
  if (analyze(model)) return analysis;
  const Model main_effects(sample);
  analysis.without.clear();
  for (const Term& term : model.terms()) {
    if (term.factors.size() == 2) analysis.without.emplace_back(term.factors[0], term.factors[1]);
  }
  analyze(main_effects);
  return analysis;
}

}  // namespace gridsweep
