// Virtual time: things happen in the order of their times, and nothing takes any.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include "absl/time/time.h"

namespace gridsweep {

// Of two things at one time the one that was planned first comes first. Not thread-safe.
class EventQueue {
 public:
  absl::Duration now() const { return now_; }
  void At(absl::Duration when, std::function<void()> what) {
    events_.emplace(std::make_pair(when < now_ ? now_ : when, next_++), std::move(what));
  }
  void After(absl::Duration delay, std::function<void()> what) { At(now_ + delay, std::move(what)); }
  // The next event. REQUIRES: there is one.
  void Step() {
    const auto first = events_.begin();
    now_ = first->first.first;
    const std::function<void()> what = std::move(first->second);
    events_.erase(first);
    what();
  }
  bool empty() const { return events_.empty(); }

 private:
  absl::Duration now_ = absl::Hours(1);
  uint64_t next_ = 0;
  std::map<std::pair<absl::Duration, uint64_t>, std::function<void()>> events_;
};

}  // namespace gridsweep
