#include "common/sweep/sharing.h"

#include <variant>

namespace gridsweep {

SharingForecast::SharingForecast(const SweepSpec& spec, const Grid& grid)
    : spec_(spec),
      grid_(grid),
      schedulers_(static_cast<int64_t>(spec.axis(Axis::kScheduler).size())),
      groups_(grid.combinations() / schedulers_) {}

const SharingForecast::Group& SharingForecast::Forecast(int64_t group) {
  const int64_t first = group * schedulers_;
  std::vector<bool> included;
  for (int64_t i = 0; i < schedulers_; ++i) included.push_back(!grid_.IsExcluded(first + i));
  const size_t optimizer = grid_.Position(first)[static_cast<size_t>(Axis::kOptimizer)];
  const Component& component = spec_.axis(Axis::kOptimizer)[optimizer].components.front();
  const double lr = std::get<double>(component.params.at("lr"));

  const auto [found, is_new] = known_.try_emplace({lr, included});
  Group& result = found->second;
  if (!is_new) return result;
  std::vector<Component> schedulers;
  for (size_t i = 0; i < included.size(); ++i) {
    if (included[i]) schedulers.push_back(spec_.axis(Axis::kScheduler)[i].components.front());
  }
  const std::vector<EpochBounds> added = AddedEpochs(schedulers, lr, spec_.training.epochs);
  size_t next = 0;
  for (size_t i = 0; i < included.size(); ++i) {
    result.added.push_back(included[i] ? added[next++] : EpochBounds{});
    result.total += result.added.back();
  }
  return result;
}

EpochBounds SharingForecast::Total() {
  EpochBounds total;
  for (int64_t group = 0; group < groups_; ++group) total += Forecast(group).total;
  const auto seeds = static_cast<int64_t>(spec_.seeds.size());
  return {total.at_least * seeds, total.at_most * seeds};
}

}  // namespace gridsweep
