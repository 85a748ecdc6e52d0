#include "common/schedule/shared_epochs.h"

#include <algorithm>
#include <map>
#include <memory>
#include <span>

#include "common/schedule/scheduler.h"

namespace gridsweep {
namespace {

// A schedule's learning rates before training, as far as they are known.
class RateForecast {
 public:
  RateForecast(const Component& scheduler, double lr, int64_t epochs)
      : constant_(Schedulers().Make(scheduler, lr, epochs)), rate_(lr) {
    if (constant_->UsesMetrics()) falling_ = Schedulers().Make(scheduler, lr, epochs);
  }

  // Of the epoch after those stepped over. REQUIRES: is_known().
  double rate() const { return rate_; }
  bool is_known() const { return is_known_; }

  void Step() {
    if (!is_known_) return;
    ++done_.epoch;
    // Losses that never fall bring the earliest change, losses that always fall the latest.
    done_.test_loss = 1;
    rate_ = constant_->Next(done_);
    if (falling_ == nullptr) return;
    done_.test_loss = -static_cast<double>(done_.epoch);
    is_known_ = falling_->Next(done_) == rate_;
  }

 private:
  std::unique_ptr<Scheduler> constant_;
  std::unique_ptr<Scheduler> falling_;  // only of a schedule that looks at losses
  EpochMetrics done_;
  double rate_;
  bool is_known_ = true;
};

// Jobs that have had the same rates so far. The first with a known rate pays for the common epochs.
struct Branch {
  std::vector<size_t> known;
  std::vector<size_t> unknown;  // may still go this way
};

void AddBundle(std::span<const Component> schedulers, double lr, int64_t epochs,
               std::span<EpochBounds> added) {
  std::vector<RateForecast> forecasts;
  for (const Component& scheduler : schedulers) forecasts.emplace_back(scheduler, lr, epochs);
  std::vector<Branch> branches(1);
  for (size_t i = 0; i < schedulers.size(); ++i) branches[0].known.push_back(i);

  for (int64_t epoch = 1; epoch <= epochs; ++epoch) {
    for (const Branch& branch : branches) {
      const std::vector<size_t>& payers = branch.known.empty() ? branch.unknown : branch.known;
      ++added[payers.front()].at_least;
      if (!branch.known.empty()) ++added[branch.known.front()].at_most;
      for (const size_t i : branch.unknown) ++added[i].at_most;
    }
    if (epoch == epochs) break;
    for (RateForecast& forecast : forecasts) forecast.Step();
    std::vector<Branch> next;
    for (Branch& branch : branches) {
      std::map<double, Branch> by_rate;
      std::vector<size_t> unknown = std::move(branch.unknown);
      for (const size_t i : branch.known) {
        if (forecasts[i].is_known()) {
          by_rate[forecasts[i].rate()].known.push_back(i);
        } else {
          unknown.push_back(i);
        }
      }
      if (by_rate.empty()) {
        next.push_back({{}, std::move(unknown)});
        continue;
      }
      // Those of unknown rate may go the way of any; which one makes no difference to the bounds.
      by_rate.begin()->second.unknown = std::move(unknown);
      for (auto& [rate, part] : by_rate) next.push_back(std::move(part));
    }
    branches = std::move(next);
  }
}

}  // namespace

std::vector<EpochBounds> AddedEpochs(const std::vector<Component>& schedulers, double lr, int64_t epochs) {
  std::vector<EpochBounds> added(schedulers.size());
  for (size_t begin = 0; begin < schedulers.size(); begin += kMaxBundle) {
    const size_t count = std::min(kMaxBundle, schedulers.size() - begin);
    AddBundle(std::span(schedulers).subspan(begin, count), lr, epochs,
              std::span(added).subspan(begin, count));
  }
  return added;
}

}  // namespace gridsweep
