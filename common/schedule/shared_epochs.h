// Which epochs jobs that differ only in the scheduler have in common: all until their learning rates first differ.
#pragma once

#include <cstdint>
#include <vector>

#include "common/catalog/catalog.h"

namespace gridsweep {

// Most jobs that are leased as one bundle.
inline constexpr size_t kMaxBundle = 32;

// Epochs to train. Exact (both equal) when no schedule looks at what is measured.
struct EpochBounds {
  int64_t at_least = 0;
  int64_t at_most = 0;
  double Expected() const { return (static_cast<double>(at_least) + static_cast<double>(at_most)) / 2; }
  EpochBounds& operator+=(const EpochBounds& other) {
    at_least += other.at_least;
    at_most += other.at_most;
    return *this;
  }
  friend bool operator==(const EpochBounds&, const EpochBounds&) = default;
};

// Of jobs that are equal but for these schedulers, starting at `lr` and trained together: the epochs each adds to those
// before it, in the order given; their sum is what is trained. The first of every kMaxBundle jobs adds all its epochs.
//
// The rates of a schedule that looks at losses are known only until it can first change; from there on it may go the way
// of others (at_least) or its own (at_most).
//
// REQUIRES: the components are resolved by the catalog.
std::vector<EpochBounds> AddedEpochs(const std::vector<Component>& schedulers, double lr, int64_t epochs);

}  // namespace gridsweep
