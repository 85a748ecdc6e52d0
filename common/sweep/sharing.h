// What the jobs of a sweep share when jobs that differ only in the scheduler train their common epochs once.
#pragma once

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "common/schedule/shared_epochs.h"
#include "common/sweep/grid.h"
#include "common/sweep/sweep_spec.h"

namespace gridsweep {

// Computes lazily and remembers. Borrows both arguments. Not thread-safe.
//
// The scheduler is the grid's last axis, so the cells of combinations g * schedulers … (g + 1) * schedulers - 1 differ only in
// it: with each seed they make one group, whose jobs have equal PrefixKeys.
class SharingForecast {
 public:
  SharingForecast(const SweepSpec& spec, const Grid& grid);

  int64_t groups() const { return groups_; }  // per seed; one whose cells are all excluded has no jobs
  int64_t GroupOf(int64_t combination) const { return combination / schedulers_; }

  struct Group {
    std::vector<EpochBounds> added;  // by position on the scheduler axis; zero where the cell is excluded
    EpochBounds total;
  };
  // Valid until the next call. REQUIRES: 0 <= group < groups().
  const Group& Forecast(int64_t group);

  // Of the whole sweep, all seeds.
  EpochBounds Total();

 private:
  const SweepSpec& spec_;
  const Grid& grid_;
  const int64_t schedulers_;
  const int64_t groups_;
  // By learning rate of the first epoch and the schedulers' positions that are not excluded.
  std::map<std::pair<double, std::vector<bool>>, Group> known_;
};

}  // namespace gridsweep
