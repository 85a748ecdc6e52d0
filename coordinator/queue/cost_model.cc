#include "coordinator/queue/cost_model.h"

#include <algorithm>
#include <cmath>

namespace gridsweep {
namespace {

// The newest epoch has at least one part in this many.
constexpr double kMemory = 32;

std::string DeviceKind(const std::string& device) {
  return device.substr(0, device.find(':'));
}

}  // namespace

void CostModel::Add(const std::string& kind, const std::string& device, double seconds, int64_t epochs) {
  if (!std::isfinite(seconds) || seconds < 0 || epochs <= 0) return;
  Mean& mean = means_[kind][DeviceKind(device)];
  const double added = std::min(static_cast<double>(epochs), kMemory);
  mean.weight = std::min(mean.weight + added, kMemory);
  mean.seconds += (seconds - mean.seconds) * added / mean.weight;
}

std::optional<double> CostModel::EpochSeconds(const std::string& kind, const std::string& device) const {
  const auto found = means_.find(kind);
  if (found == means_.end()) return std::nullopt;
  if (const auto here = found->second.find(DeviceKind(device)); here != found->second.end()) {
    return here->second.seconds;
  }
  double sum = 0;
  double weight = 0;
  for (const auto& [name, mean] : found->second) {
    sum += mean.seconds * mean.weight;
    weight += mean.weight;
  }
  return sum / weight;
}

}  // namespace gridsweep
