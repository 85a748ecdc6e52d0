// Cells and jobs of a sweep, one at a time: each is a pure function of the spec and an index.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "common/job/job_spec.h"
#include "common/sweep/sweep_spec.h"

namespace gridsweep {

// The expanded grid, lazily. Immutable after construction; thread-safe. `spec` is not owned and must outlive
// it.
//
// A cell's index counts all combinations, the excluded ones too, with the last axis fastest; so adding an
// exclusion does not renumber the others.
class Grid {
 public:
  explicit Grid(const SweepSpec& spec);

  int64_t combinations() const { return combinations_; }
  int64_t cells() const { return cells_; }  // combinations not excluded
  int64_t jobs() const { return cells_ * static_cast<int64_t>(spec_->seeds.size()); }
  // How many combinations each rule of spec.exclude removes that no earlier rule has, by rule.
  const std::vector<int64_t>& excluded_by_rule() const { return excluded_by_rule_; }

  // REQUIRES: 0 <= index < combinations().
  bool IsExcluded(int64_t index) const;
  // Index of the first rule that excludes the combination, or -1.
  int ExcludingRule(int64_t index) const;
  // Position of the combination on each axis.
  std::array<size_t, kAxisCount> Position(int64_t index) const;
  // The job of combination `index` with `seed`, without a data set digest.
  JobSpec Job(int64_t index, int64_t seed) const;

 private:
  const SweepSpec* spec_;
  int64_t combinations_ = 1;
  int64_t cells_ = 0;
  size_t words_ = 0;  // of a set of rules, 64 to a word
  // By axis, words_ for each value: the rules that the value does not contradict. A combination is excluded
  // by the rules in the intersection of its five values' sets.
  std::array<std::vector<uint64_t>, kAxisCount> rules_;
  std::vector<int64_t> excluded_by_rule_;
};

}  // namespace gridsweep
