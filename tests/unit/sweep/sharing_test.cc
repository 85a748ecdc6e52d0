#include "common/sweep/sharing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tests/support/status_matchers.h"
#include "tests/unit/sweep/sweep_text.h"

namespace gridsweep {
namespace {

constexpr char kSweep[] = R"(name: shared
dataset: toy
training: { epochs: 4 }
seeds: [1, 2]
grid:
  model: [mlp, cnn]
  optimizer: [adam, { adam: { lr: [0.001, 0.01] } }]
  scheduler: [none, { step: { step_size: 2 } }, exponential, { exponential: { gamma: 0.5 } }]
exclude:
  - { model: cnn, scheduler: none }
)";

TEST(SharingForecast, GroupsAreTheJobsWithEqualPrefixKeys) {
  const SweepSpec spec = Parse(kSweep).value();
  const Grid grid(spec);
  SharingForecast forecast(spec, grid);
  std::map<std::pair<int64_t, int64_t>, std::set<std::string>> keys;  // by group and seed
  std::set<std::string> all;
  for (int64_t index = 0; index < grid.combinations(); ++index) {
    if (grid.IsExcluded(index)) continue;
    for (const int64_t seed : spec.seeds) {
      const std::string key = PrefixKey(grid.Job(index, seed));
      keys[{forecast.GroupOf(index), seed}].insert(key);
      all.insert(key);
    }
  }
  EXPECT_EQ(keys.size(), all.size());
  for (const auto& [group, of_group] : keys) EXPECT_EQ(of_group.size(), 1u);
}

TEST(SharingForecast, ExcludedCellsTrainNothing) {
  const SweepSpec spec = Parse(kSweep).value();
  const Grid grid(spec);
  SharingForecast forecast(spec, grid);
  // none 4, step of 2 parts after 2 epochs, the exponentials after 1.
  EXPECT_EQ(forecast.Forecast(0).total, (EpochBounds{4 + 2 + 3 + 3, 4 + 2 + 3 + 3}));
  const SharingForecast::Group& without_none = forecast.Forecast(forecast.groups() - 1);
  EXPECT_EQ(without_none.added.front(), EpochBounds{});
  EXPECT_EQ(without_none.total, (EpochBounds{4 + 3 + 3, 4 + 3 + 3}));
  EXPECT_EQ(forecast.Total(), (EpochBounds{2 * 2 * (12 + 10), 2 * 2 * (12 + 10)}));
}

}  // namespace
}  // namespace gridsweep
