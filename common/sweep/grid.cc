#include "common/sweep/grid.h"

#include <bit>

namespace gridsweep {
namespace {

constexpr size_t kBits = 64;

bool TermsMatch(const Exclusion& rule, Axis axis, const AxisValue& value) {
  for (const ExclusionTerm& term : rule.terms) {
    if (term.axis == axis && !term.Matches(value)) return false;
  }
  return true;
}

// The smallest element of a set of rules, or -1.
int FirstRule(const std::vector<uint64_t>& rules) {
  for (size_t word = 0; word < rules.size(); ++word) {
    if (rules[word] != 0) return static_cast<int>(word * kBits) + std::countr_zero(rules[word]);
  }
  return -1;
}

}  // namespace

Grid::Grid(const SweepSpec& spec)
    : spec_(&spec),
      words_((spec.exclude.size() + kBits - 1) / kBits),
      excluded_by_rule_(spec.exclude.size(), 0) {
  for (const Axis axis : kAllAxes) {
    const std::vector<AxisValue>& values = spec.axis(axis);
    std::vector<uint64_t>& rules = rules_[static_cast<size_t>(axis)];
    rules.assign(values.size() * words_, 0);
    for (size_t value = 0; value < values.size(); ++value) {
      for (size_t rule = 0; rule < spec.exclude.size(); ++rule) {
        if (!TermsMatch(spec.exclude[rule], axis, values[value])) continue;
        rules[value * words_ + rule / kBits] |= uint64_t{1} << (rule % kBits);
      }
    }
    combinations_ *= static_cast<int64_t>(values.size());
  }
  cells_ = combinations_;
  if (words_ > 0) Count(0, std::vector<uint64_t>(words_, ~uint64_t{0}));
}

void Grid::Count(size_t axis, const std::vector<uint64_t>& open) {
  const std::vector<uint64_t>& rules = rules_[axis];
  std::vector<uint64_t> left(words_);
  for (size_t value = 0; value * words_ < rules.size(); ++value) {
    for (size_t word = 0; word < words_; ++word) left[word] = open[word] & rules[value * words_ + word];
    const int rule = FirstRule(left);
    if (rule < 0) continue;  // nothing below is excluded
    if (axis + 1 < kAxisCount) {
      Count(axis + 1, left);
    } else {
      ++excluded_by_rule_[static_cast<size_t>(rule)];
      --cells_;
    }
  }
}

std::array<size_t, kAxisCount> Grid::Position(int64_t index) const {
  std::array<size_t, kAxisCount> position{};
  auto rest = static_cast<size_t>(index);
  for (size_t axis = kAxisCount; axis-- > 0;) {
    const size_t size = spec_->axes[axis].size();
    position[axis] = rest % size;
    rest /= size;
  }
  return position;
}

int Grid::ExcludingRule(int64_t index) const {
  if (words_ == 0) return -1;
  const std::array<size_t, kAxisCount> position = Position(index);
  std::vector<uint64_t> left(words_, ~uint64_t{0});
  for (size_t axis = 0; axis < kAxisCount; ++axis) {
    for (size_t word = 0; word < words_; ++word) left[word] &= rules_[axis][position[axis] * words_ + word];
  }
  return FirstRule(left);
}

bool Grid::IsExcluded(int64_t index) const {
  return ExcludingRule(index) >= 0;
}

JobSpec Grid::Job(int64_t index, int64_t seed) const {
  const std::array<size_t, kAxisCount> position = Position(index);
  const auto value = [&](Axis axis) -> const AxisValue& {
    return spec_->axis(axis)[position[static_cast<size_t>(axis)]];
  };
  JobSpec job;
  job.dataset = spec_->dataset;
  job.model = value(Axis::kModel).components[0];
  job.activation = value(Axis::kActivation).components[0];
  job.optimizer = value(Axis::kOptimizer).components[0];
  job.regularization = value(Axis::kRegularization).components;
  job.scheduler = value(Axis::kScheduler).components[0];
  job.training = spec_->training;
  job.objective = spec_->objective;
  job.seed = seed;
  return job;
}

}  // namespace gridsweep
