#include "common/sweep/grid.h"

#include <bit>

#include "common/sweep/exclusion_counter.h"

namespace gridsweep {
namespace {

constexpr size_t kBits = 64;

// Mirrors a square of 64 by 64 bits at its diagonal (Warren, Hacker's Delight, 7-3).
void Transpose(std::array<uint64_t, kBits>& square) {
  uint64_t mask = 0x00000000ffffffff;
  for (size_t half = kBits / 2; half != 0; half /= 2, mask ^= mask << half) {
    for (size_t row = 0; row < kBits; row = ((row | half) + 1) & ~half) {
      const uint64_t swapped = ((square[row] >> half) ^ square[row | half]) & mask;
      square[row] ^= swapped << half;
      square[row | half] ^= swapped;
    }
  }
}

// By value, `words` each: the rules that the value of `axis` does not contradict. From rule by rule to value by value, 64
// of each at a time.
std::vector<uint64_t> RulesByValue(const SweepSpec& spec, Axis axis, size_t words) {
  const size_t size = spec.axis(axis).size();
  std::vector<const ExclusionTerm*> terms(words * kBits, nullptr);
  for (size_t rule = 0; rule < spec.exclude.size(); ++rule) {
    for (const ExclusionTerm& term : spec.exclude[rule].terms) {
      if (term.axis == axis) terms[rule] = &term;
    }
  }
  std::vector<uint64_t> by_value(size * words, 0);
  for (size_t word = 0; word < words; ++word) {
    for (size_t first = 0; first < size; first += kBits) {
      std::array<uint64_t, kBits> square{};
      for (size_t i = 0; i < kBits && word * kBits + i < spec.exclude.size(); ++i) {
        const ExclusionTerm* term = terms[word * kBits + i];
        square[i] = term == nullptr ? ~uint64_t{0} : term->values.words()[first / kBits];
      }
      Transpose(square);
      for (size_t i = 0; i < kBits && first + i < size; ++i) by_value[(first + i) * words + word] = square[i];
    }
  }
  return by_value;
}

}  // namespace

Grid::Grid(const SweepSpec& spec) : spec_(&spec), words_((spec.exclude.size() + kBits - 1) / kBits) {
  for (const Axis axis : kAllAxes) {
    combinations_ *= static_cast<int64_t>(spec.axis(axis).size());
    rules_[static_cast<size_t>(axis)] = RulesByValue(spec, axis, words_);
  }
  excluded_by_rule_ = CountExclusions(spec, words_, rules_);
  cells_ = combinations_;
  for (const int64_t excluded : excluded_by_rule_) cells_ -= excluded;
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
  for (size_t word = 0; word < words_; ++word) {
    uint64_t left = ~uint64_t{0};
    for (size_t axis = 0; axis < kAxisCount; ++axis) left &= rules_[axis][position[axis] * words_ + word];
    if (left != 0) return static_cast<int>(word * kBits) + std::countr_zero(left);
  }
  return -1;
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
