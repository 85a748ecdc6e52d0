#include "common/results/effects.h"

#include <algorithm>
#include <map>
#include <set>

#include "common/results/anova.h"
#include "common/results/format_number.h"

namespace gridsweep {
namespace {

std::vector<int> VaryingAxes(const EffectsInput& input) {
  std::vector<int> axes;
  for (size_t axis = 0; axis < input.levels.size(); ++axis) {
    if (input.levels[axis].size() > 1) axes.push_back(static_cast<int>(axis));
  }
  return axes;
}

// Positions of labels among the levels of their axis.
class LevelIndex {
 public:
  explicit LevelIndex(const std::vector<std::vector<std::string>>& levels) : index_(levels.size()) {
    for (size_t axis = 0; axis < levels.size(); ++axis) {
      for (const std::string& level : levels[axis])
        index_[axis].emplace(level, static_cast<int>(index_[axis].size()));
    }
  }
  int Of(int axis, const CellResults& cell) const {
    return index_[static_cast<size_t>(axis)].at(cell.labels[static_cast<size_t>(axis)]);
  }

 private:
  std::vector<std::map<std::string, int>> index_;
};

std::vector<int64_t> SeedsOf(const std::vector<CellObjectives>& objectives) {
  std::set<int64_t> seeds;
  for (const CellObjectives& cell : objectives) {
    for (const SeedValue& value : cell.values) seeds.insert(value.seed);
  }
  return {seeds.begin(), seeds.end()};
}

// Factors: the axes, then the seed if there are several.
FactorialSample SampleOf(const EffectsInput& input, const std::vector<CellObjectives>& objectives,
                         const std::vector<int>& axes, const LevelIndex& index) {
  FactorialSample sample;
  for (const int axis : axes)
    sample.factors.push_back({.levels = static_cast<int>(input.levels[static_cast<size_t>(axis)].size())});
  const std::vector<int64_t> seeds = SeedsOf(objectives);
  if (seeds.size() > 1) sample.factors.push_back({.levels = static_cast<int>(seeds.size()), .block = true});
  for (size_t i = 0; i < input.cells.size(); ++i) {
    std::vector<int> levels;
    for (const int axis : axes) levels.push_back(index.Of(axis, input.cells[i]));
    for (const SeedValue& value : objectives[i].values) {
      sample.levels.push_back(levels);
      if (seeds.size() > 1) {
        const auto seed = std::lower_bound(seeds.begin(), seeds.end(), value.seed);
        sample.levels.back().push_back(static_cast<int>(seed - seeds.begin()));
      }
      sample.values.push_back(value.value);
    }
  }
  return sample;
}

std::string TermName(const EffectsInput& input, const std::vector<int>& axes) {
  if (axes.empty()) return "seed";
  std::vector<std::string> names;
  for (const int axis : axes) names.push_back(input.axes[static_cast<size_t>(axis)]);
  return fmt::format("{}", fmt::join(names, " × "));
}

void TakeAnalysis(const VarianceAnalysis& analysis, const EffectsInput& input, const std::vector<int>& axes,
                  Effects& effects) {
  effects.observations = analysis.observations;
  effects.residual_df = analysis.residual_df;
  effects.residual_sum_of_squares = analysis.residual_sum_of_squares;
  effects.total_sum_of_squares = analysis.total_sum_of_squares;
  for (const VarianceTerm& term : analysis.terms) {
    std::vector<int> of;
    for (const int factor : term.factors) {
      if (static_cast<size_t>(factor) < axes.size()) of.push_back(axes[static_cast<size_t>(factor)]);
    }
    effects.terms.push_back({.name = TermName(input, of),
                             .axes = of,
                             .df = term.df,
                             .sum_of_squares = term.sum_of_squares,
                             .share = term.share,
                             .f = term.f,
                             .p = term.p});
  }
  for (const MarginalMean& mean : analysis.means) {
    const int axis = axes[static_cast<size_t>(mean.factor)];
    for (EffectLevel& level : effects.levels) {
      if (level.axis != axis ||
          level.level != input.levels[static_cast<size_t>(axis)][static_cast<size_t>(mean.level)])
        continue;
      level.mean = mean.mean;
      level.ci = mean.ci;
    }
  }
}

std::vector<EffectLevel> CountLevels(const EffectsInput& input, const std::vector<CellObjectives>& objectives,
                                     const std::vector<int>& axes) {
  std::vector<EffectLevel> levels;
  std::map<std::pair<int, std::string>, size_t> index;
  for (const int axis : axes) {
    for (const std::string& level : input.levels[static_cast<size_t>(axis)]) {
      index.emplace(std::pair(axis, level), levels.size());
      levels.push_back({.axis = axis, .level = level});
    }
  }
  for (size_t i = 0; i < input.cells.size(); ++i) {
    for (const int axis : axes) {
      EffectLevel& level = levels[index.at({axis, input.cells[i].labels[static_cast<size_t>(axis)]})];
      ++level.cells;
      level.results += std::ssize(objectives[i].values);
      for (const JobResult& job : input.cells[i].jobs) {
        level.diverged += job.state == JobState::kDiverged;
        level.failed += job.state == JobState::kFailed;
      }
    }
  }
  return levels;
}

// Compares the leader with each cell that differs from it in one axis.
void AddCosts(const EffectsInput& input, const std::vector<CellObjectives>& objectives, size_t leader,
              Effects& effects) {
  std::map<std::vector<std::string>, size_t> by_labels;
  for (size_t i = 0; i < input.cells.size(); ++i) by_labels.emplace(input.cells[i].labels, i);
  std::vector<double> p;
  for (EffectLevel& level : effects.levels) {
    std::vector<std::string> labels = input.cells[leader].labels;
    std::string& label = labels[static_cast<size_t>(level.axis)];
    level.of_leader = label == level.level;
    if (level.of_leader) continue;
    label = level.level;
    const auto other = by_labels.find(labels);
    if (other == by_labels.end() || objectives[other->second].values.empty()) continue;
    level.cost = Compare(objectives[leader].values, objectives[other->second].values, input.measure);
    if (level.cost->p) p.push_back(*level.cost->p);
  }
  const std::vector<double> adjusted = HolmAdjusted(p);
  auto next = adjusted.begin();
  for (EffectLevel& level : effects.levels) {
    if (level.cost && level.cost->p) level.cost->p = *next++;
  }
}

// "12 of 60 jobs have no part in it: 8 diverged, 4 failed."
void NoteMissing(const EffectsInput& input, int64_t observations, std::vector<std::string>& notes) {
  StateCounts jobs;
  for (const CellResults& cell : input.cells) {
    for (const JobResult& job : cell.jobs) jobs.Add(job.state);
  }
  const int64_t missing = jobs.total() - observations;
  if (missing == 0) return;
  std::vector<std::string> parts;
  const auto add = [&parts](int64_t count, std::string_view what) {
    if (count > 0) parts.push_back(fmt::format("{} {}", FormatCount(count), what));
  };
  add(jobs.diverged, "diverged");
  add(jobs.failed, "failed");
  add(jobs.cancelled, "cancelled");
  add(jobs.pending + jobs.running, "not finished");
  add(jobs.succeeded - observations, "without a finite value");
  notes.push_back(fmt::format("{} of {} no part in it: {}.", FormatCount(missing),
                              Plural(jobs.total(), "job") + (missing == 1 ? " has" : " have"),
                              fmt::join(parts, ", ")));
  if (jobs.diverged > 0)
    notes.push_back(
        "A level that makes jobs diverge is worse than its mean says: the mean is of those that did not.");
}

void NoteAnalysis(const VarianceAnalysis& analysis, const EffectsInput& input, const std::vector<int>& axes,
                  size_t seeds, std::vector<std::string>& notes) {
  for (const int factor : analysis.constant) {
    if (static_cast<size_t>(factor) < axes.size())
      notes.push_back(fmt::format("Only one level of {} has results: it is not in the analysis.",
                                  TermName(input, {axes[static_cast<size_t>(factor)]})));
  }
  if (!analysis.without.empty()) {
    std::vector<std::string> names;
    for (const auto& [a, b] : analysis.without)
      names.push_back(TermName(input, {axes[static_cast<size_t>(a)], axes[static_cast<size_t>(b)]}));
    notes.push_back(fmt::format(
        "Interactions left out, because there are too few results for them or too many combinations: {}.",
        fmt::join(names, ", ")));
  }
  if (analysis.residual_df <= 0) {
    notes.push_back(
        "Nothing is left over to compare the effects with, so there are no tests and no intervals: more seeds would give them.");
  } else if (analysis.residual_sum_of_squares == 0) {
    notes.push_back("The effects explain every digit: there is nothing left over to test them against.");
  } else if (seeds == 1) {
    notes.push_back(
        "With one seed the effects are tested against the interactions of three and more axes, not against other seeds.");
  }
}

// Why there is no analysis; empty if there is one.
std::string NothingToAnalyze(const EffectsInput& input, const std::vector<CellObjectives>& objectives,
                             const std::vector<int>& axes) {
  if (input.cells.empty()) return "The sweep has no cells.";
  int64_t results = 0;
  StateCounts jobs;
  for (size_t i = 0; i < input.cells.size(); ++i) {
    results += std::ssize(objectives[i].values);
    for (const JobResult& job : input.cells[i].jobs) jobs.Add(job.state);
  }
  if (axes.empty()) return "No axis takes more than one value: there is nothing to compare.";
  if (results == 0 && jobs.diverged == jobs.total())
    return fmt::format("All {} diverged: there is nothing to compare.", Plural(jobs.total(), "job"));
  if (results == 0) return "No job has a result yet: there is nothing to compare.";
  if (results == 1) return "One job has a result so far: there is nothing to compare it with.";
  const double first = MeanOf(objectives[*FindLeader(objectives, input.measure.goal)].values);
  for (const CellObjectives& cell : objectives) {
    for (const SeedValue& value : cell.values) {
      if (value.value != first) return "";
    }
  }
  return fmt::format("All {} have the same {}, {}: no axis makes a difference.", Plural(results, "result"),
                     input.metric, FormatMetric(input.metric, first));
}

}  // namespace

Effects AnalyzeEffects(EffectsInput input) {
  // Sums are taken in the grid's order, whatever order the cells came in.
  std::sort(input.cells.begin(), input.cells.end(), [](const CellResults& a, const CellResults& b) {
    return std::pair(a.ordinal, a.cell) < std::pair(b.ordinal, b.cell);
  });
  const std::vector<CellObjectives> objectives = ObjectivesOf(input.cells);
  const std::vector<int> axes = VaryingAxes(input);
  Effects effects;
  effects.levels = CountLevels(input, objectives, axes);
  if (const auto leader = FindLeader(objectives, input.measure.goal)) {
    effects.leader = input.cells[*leader].labels;
    AddCosts(input, objectives, *leader, effects);
  }
  if (std::string reason = NothingToAnalyze(input, objectives, axes); !reason.empty()) {
    effects.notes.push_back(std::move(reason));
    return effects;
  }
  const VarianceAnalysis analysis =
      AnalyzeVariance(SampleOf(input, objectives, axes, LevelIndex(input.levels)));
  if (analysis.too_large) {
    effects.notes.push_back(fmt::format(
        "The axes have more than {} levels in all: too many for an analysis of variance.", kMostVariables));
    return effects;
  }
  TakeAnalysis(analysis, input, axes, effects);
  NoteMissing(input, analysis.observations, effects.notes);
  NoteAnalysis(analysis, input, axes, SeedsOf(objectives).size(), effects.notes);
  return effects;
}

}  // namespace gridsweep
