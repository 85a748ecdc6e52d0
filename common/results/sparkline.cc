#include "common/results/sparkline.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace gridsweep {
namespace {

constexpr const char* kBlocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
constexpr int kLevels = 8;

std::vector<double> Shrink(const std::vector<double>& values, size_t width) {
  if (values.size() <= width) return values;
  std::vector<double> shrunk;
  for (size_t group = 0; group < width; ++group) {
    const size_t begin = group * values.size() / width;
    const size_t end = (group + 1) * values.size() / width;
    double shown = values[end - 1];
    for (size_t i = begin; i < end; ++i) {
      if (std::isfinite(values[i])) shown = values[i];
    }
    shrunk.push_back(shown);
  }
  return shrunk;
}

}  // namespace

std::string Sparkline(const std::vector<double>& values, int width) {
  if (width <= 0) return "";
  const std::vector<double> shown = Shrink(values, static_cast<size_t>(width));
  double least = std::numeric_limits<double>::infinity();
  double greatest = -least;
  for (const double value : shown) {
    if (!std::isfinite(value)) continue;
    least = std::min(least, value);
    greatest = std::max(greatest, value);
  }
  std::string line;
  for (const double value : shown) {
    if (!std::isfinite(value)) {
      line += "×";
      continue;
    }
    const double range = greatest - least;
    const double share = range > 0 && std::isfinite(range) ? (value - least) / range : 0.5;
    line += kBlocks[std::clamp(static_cast<int>(share * kLevels), 0, kLevels - 1)];
  }
  return line;
}

}  // namespace gridsweep
