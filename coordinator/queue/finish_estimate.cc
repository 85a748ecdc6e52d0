#include "coordinator/queue/finish_estimate.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <tuple>

namespace gridsweep {

double EpochsLeft(const std::vector<RunningShare>& bundle) {
  const auto trunk = std::max_element(bundle.begin(), bundle.end(), [](const auto& a, const auto& b) {
    return a.added_epochs < b.added_epochs;
  });
  double left = 0;
  for (auto share = bundle.begin(); share != bundle.end(); ++share) {
    const double all = std::max(0.0, share->epochs - share->done);
    left += share == trunk ? all : std::min(all, share->added_epochs);
  }
  return left;
}

WaitingWork ExpectedWork(const WorkClass& work, double epoch_seconds, bool share, bool counts) {
  WaitingWork waiting{.sweep = work.sweep, .seconds = 0, .bundles = work.pending, .counts = counts};
  const auto alone = static_cast<double>(work.epochs);
  double each = alone;
  if (share && work.group_epochs > 0) {
    waiting.bundles =
        std::clamp<int64_t>(std::llround(work.pending_epochs / work.group_epochs), 1, work.pending);
    // What is left of a group pays for the common epochs once more.
    each = std::max(alone, work.pending_epochs / static_cast<double>(waiting.bundles));
  }
  waiting.seconds = each * epoch_seconds;
  return waiting;
}

double EstimateFinish(const std::vector<BusySlot>& busy, int64_t slots, std::vector<WaitingWork> waiting) {
  double end = 0;
  std::vector<double> free_at;  // a heap, earliest first
  for (const BusySlot& slot : busy) {
    free_at.push_back(slot.seconds);
    if (slot.counts) end = std::max(end, slot.seconds);
  }
  free_at.resize(std::max(free_at.size(), static_cast<size_t>(slots)), 0.0);
  std::make_heap(free_at.begin(), free_at.end(), std::greater<>());
  std::stable_sort(waiting.begin(), waiting.end(), [](const WaitingWork& a, const WaitingWork& b) {
    return std::make_tuple(a.sweep, -a.seconds) < std::make_tuple(b.sweep, -b.seconds);
  });
  const auto places = static_cast<int64_t>(free_at.size());
  double latest =
      *std::max_element(free_at.begin(), free_at.end());  // of free_at: what is taken out is its least
  for (const WaitingWork& work : waiting) {
    for (int64_t left = work.bundles; left > 0; --left) {
      if (left >= 2 * places && latest - free_at.front() <= work.seconds) {
        // The slots take turns: as many rounds at once as leave some for the uneven end.
        const int64_t rounds = left / places - 1;
        const double later = static_cast<double>(rounds) * work.seconds;
        for (double& time : free_at) time += later;
        latest += later;
        left -= rounds * places;
      }
      std::pop_heap(free_at.begin(), free_at.end(), std::greater<>());
      free_at.back() += work.seconds;
      latest = std::max(latest, free_at.back());
      if (work.counts) end = std::max(end, free_at.back());
      std::push_heap(free_at.begin(), free_at.end(), std::greater<>());
    }
  }
  return end;
}

}  // namespace gridsweep
