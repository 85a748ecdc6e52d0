#include "common/sweep/exclusion_counter.h"

#include <algorithm>
#include <bit>
#include <map>

namespace gridsweep {
namespace {

constexpr size_t kBits = 64;

// A set of rules, 64 to a word.
using RuleSet = std::vector<uint64_t>;

// The smallest element, or -1.
int FirstRule(const RuleSet& rules) {
  for (size_t word = 0; word < rules.size(); ++word) {
    if (rules[word] != 0) return static_cast<int>(word * kBits) + std::countr_zero(rules[word]);
  }
  return -1;
}

const ExclusionTerm* TermOn(const Exclusion& rule, Axis axis) {
  for (const ExclusionTerm& term : rule.terms) {
    if (term.axis == axis) return &term;
  }
  return nullptr;
}

class Counter {
 public:
  Counter(const SweepSpec& spec, size_t words, const std::array<std::vector<uint64_t>, kAxisCount>& rules)
      : words_(words), counts_(spec.exclude.size(), 0) {
    // The longest axis innermost: its values are counted 64 at a time.
    std::array<Axis, kAxisCount> order{};
    std::copy(std::begin(kAllAxes), std::end(kAllAxes), order.begin());
    std::stable_sort(order.begin(), order.end(),
                     [&](Axis a, Axis b) { return spec.axis(a).size() < spec.axis(b).size(); });
    inner_size_ = spec.axis(order.back()).size();
    for (const Exclusion& rule : spec.exclude) inner_.push_back(TermOn(rule, order.back()));
    below_[kAxisCount] = 1;
    for (size_t depth = kAxisCount; depth-- > 0;) {
      const Axis axis = order[depth];
      below_[depth] = below_[depth + 1] * static_cast<int64_t>(spec.axis(axis).size());
      free_[depth].assign(words_, 0);
      for (size_t rule = 0; rule < spec.exclude.size(); ++rule) {
        const bool demands = std::any_of(order.begin() + static_cast<ptrdiff_t>(depth), order.end(),
                                         [&](Axis a) { return TermOn(spec.exclude[rule], a) != nullptr; });
        if (!demands) free_[depth][rule / kBits] |= uint64_t{1} << (rule % kBits);
      }
      if (depth + 1 == kAxisCount) continue;
      // Values that leave the same rules open are one.
      const std::vector<uint64_t>& of_axis = rules[static_cast<size_t>(axis)];
      for (size_t value = 0; value < spec.axis(axis).size(); ++value) {
        const auto begin = of_axis.begin() + static_cast<ptrdiff_t>(value * words_);
        ++kinds_[depth][RuleSet(begin, begin + static_cast<ptrdiff_t>(words_))];
      }
    }
  }

  std::vector<int64_t> Count() && {
    Descend(0, RuleSet(words_, ~uint64_t{0}), 1);
    return std::move(counts_);
  }

 private:
  // Counts below `depth` for `times` equal choices above, which leave the rules `open`.
  void Descend(size_t depth, RuleSet open, int64_t times) {
    const int first = FirstRule(open);
    if (first < 0) return;  // nothing below is excluded
    const int sure = DropAfterFree(depth, open);
    if (sure == first) {
      counts_[static_cast<size_t>(first)] += times * below_[depth];
      return;
    }
    if (depth + 1 == kAxisCount) return CountInner(open, times);
    RuleSet left(words_);
    for (const auto& [rules, values] : kinds_[depth]) {
      for (size_t word = 0; word < words_; ++word) left[word] = open[word] & rules[word];
      Descend(depth + 1, left, times * values);
    }
  }

  // The first rule that demands nothing any more, or -1. It excludes everything below, so no later one counts there.
  int DropAfterFree(size_t depth, RuleSet& open) const {
    for (size_t word = 0; word < words_; ++word) {
      const uint64_t free = open[word] & free_[depth][word];
      if (free == 0) continue;
      const int bit = std::countr_zero(free);
      open[word] &= (uint64_t{2} << bit) - 1;
      std::fill(open.begin() + static_cast<ptrdiff_t>(word) + 1, open.end(), 0);
      return static_cast<int>(word * kBits) + bit;
    }
    return -1;
  }

  void CountInner(const RuleSet& open, int64_t times) {
    remaining_ = ValueSet::All(inner_size_).words();
    size_t left = inner_size_;
    for (size_t word = 0; word < words_; ++word) {
      for (uint64_t bits = open[word]; bits != 0 && left > 0; bits &= bits - 1) {
        const size_t rule = word * kBits + static_cast<size_t>(std::countr_zero(bits));
        size_t taken = 0;
        for (size_t w = 0; w < remaining_.size(); ++w) {
          const uint64_t hit =
              inner_[rule] == nullptr ? remaining_[w] : remaining_[w] & inner_[rule]->values.words()[w];
          taken += static_cast<size_t>(std::popcount(hit));
          remaining_[w] ^= hit;
        }
        left -= taken;
        counts_[rule] += times * static_cast<int64_t>(taken);
      }
    }
  }

  const size_t words_;
  std::vector<int64_t> counts_;
  // By depth, outermost first.
  std::array<std::map<RuleSet, int64_t>, kAxisCount> kinds_;  // and how many values are of each
  std::array<RuleSet, kAxisCount> free_;                      // rules without a term here or further in
  std::array<int64_t, kAxisCount + 1> below_{};               // combinations of the axes here and further in
  size_t inner_size_ = 0;
  std::vector<const ExclusionTerm*> inner_;  // by rule; null if it has none on the innermost axis
  std::vector<uint64_t> remaining_;          // of the innermost axis's values
};

}  // namespace

std::vector<int64_t> CountExclusions(const SweepSpec& spec, size_t words,
                                     const std::array<std::vector<uint64_t>, kAxisCount>& rules) {
  if (spec.exclude.empty()) return {};
  return Counter(spec, words, rules).Count();
}

}  // namespace gridsweep
