// A set of an axis's values by their positions, 64 to a word.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace gridsweep {

class ValueSet {
 public:
  static constexpr size_t kBits = 64;

  ValueSet() = default;  // of no axis: empty, and neutral for |=
  explicit ValueSet(size_t size) : words_((size + kBits - 1) / kBits) {}
  static ValueSet All(size_t size) {
    ValueSet set(size);
    for (uint64_t& word : set.words_) word = ~uint64_t{0};
    if (size % kBits != 0) set.words_.back() = (uint64_t{1} << (size % kBits)) - 1;
    return set;
  }

  void Add(size_t i) { words_[i / kBits] |= uint64_t{1} << (i % kBits); }
  bool Has(size_t i) const { return (words_[i / kBits] >> (i % kBits) & 1) != 0; }
  bool IsEmpty() const {
    return std::all_of(words_.begin(), words_.end(), [](uint64_t word) { return word == 0; });
  }
  ValueSet& operator&=(const ValueSet& other) {
    for (size_t w = 0; w < other.words_.size(); ++w) words_[w] &= other.words_[w];
    return *this;
  }
  ValueSet& operator|=(const ValueSet& other) {
    for (size_t w = 0; w < other.words_.size(); ++w) words_[w] |= other.words_[w];
    return *this;
  }
  const std::vector<uint64_t>& words() const { return words_; }

 private:
  std::vector<uint64_t> words_;
};

}  // namespace gridsweep
