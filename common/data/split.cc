#include "common/data/split.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace gridsweep {
namespace {

// SplitMix64's finalizer (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators", 2014).
uint64_t Mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

uint64_t Hash(uint64_t label, uint64_t position) {
  return Mix(Mix(label) ^ position);
}

// Whole numbers near `shares`, none above its `limits`, that add up to `total`: the floors, and one more for
// the largest remainders, the lower class first among equals.
std::vector<int64_t> Apportion(const std::vector<double>& shares, const std::vector<int64_t>& limits,
                               int64_t total) {
  std::vector<int64_t> parts(shares.size());
  for (size_t i = 0; i < shares.size(); ++i) {
    parts[i] = std::min(static_cast<int64_t>(std::floor(shares[i])), limits[i]);
  }
  std::vector<size_t> order(shares.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const auto remainder = [&](size_t i) { return shares[i] - std::floor(shares[i]); };
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return remainder(a) > remainder(b); });
  int64_t missing = total - std::accumulate(parts.begin(), parts.end(), int64_t{0});
  for (size_t k = 0; k < order.size() && missing > 0; ++k) {
    if (parts[order[k]] == limits[order[k]]) continue;
    ++parts[order[k]];
    --missing;
  }
  return parts;
}

}  // namespace

Split StratifiedSplit(const std::vector<uint8_t>& labels, int64_t classes, double validation,
                      int64_t samples) {
  struct Image {
    uint64_t hash;
    int64_t index;
  };
  std::vector<std::vector<Image>> by_class(static_cast<size_t>(classes));
  for (size_t i = 0; i < labels.size(); ++i) {
    auto& images = by_class[labels[i]];
    images.push_back({Hash(labels[i], images.size()), static_cast<int64_t>(i)});
  }
  for (auto& images : by_class) {
    std::sort(images.begin(), images.end(), [](const Image& a, const Image& b) {
      return a.hash != b.hash ? a.hash < b.hash : a.index < b.index;
    });
  }

  const auto count = static_cast<double>(labels.size());
  std::vector<double> shares;
  std::vector<int64_t> limits;
  for (const auto& images : by_class) {
    shares.push_back(validation * static_cast<double>(images.size()));
    limits.push_back(static_cast<int64_t>(images.size()));
  }
  const std::vector<int64_t> held = Apportion(shares, limits, std::llround(validation * count));

  const int64_t rest =
      static_cast<int64_t>(labels.size()) - std::accumulate(held.begin(), held.end(), int64_t{0});
  std::vector<int64_t> kept;
  for (size_t c = 0; c < by_class.size(); ++c) {
    limits[c] -= held[c];
    if (rest > 0)
      shares[c] = static_cast<double>(samples) * static_cast<double>(limits[c]) / static_cast<double>(rest);
  }
  kept = samples > 0 && samples < rest ? Apportion(shares, limits, samples) : limits;

  Split split;
  for (size_t c = 0; c < by_class.size(); ++c) {
    for (int64_t k = 0; k < held[c] + kept[c]; ++k) {
      (k < held[c] ? split.validation : split.train).push_back(by_class[c][static_cast<size_t>(k)].index);
    }
  }
  std::sort(split.train.begin(), split.train.end());
  std::sort(split.validation.begin(), split.validation.end());
  return split;
}

}  // namespace gridsweep
