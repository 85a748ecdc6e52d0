#include "worker/agent/sync_schedule.h"

#include <algorithm>
#include <utility>

namespace gridsweep::agent {
namespace {

constexpr absl::Duration kMinNextCall = absl::Milliseconds(10);
constexpr absl::Duration kMaxNextCall = absl::Minutes(1);

}  // namespace

absl::Duration SyncSchedule::Next(absl::Duration now, bool has_news) const {
  if (in_flight_) return absl::InfiniteDuration();
  if (failures_ > 0) return next_;
  if (draining_ && !last_was_answered_) return now;
  if (!has_news) return next_;
  return draining_ ? now : std::min(next_, std::max(now, news_from_));
}

uint64_t SyncSchedule::Begin() {
  in_flight_ = true;
  last_in_flight_ = draining_;
  return ++calls_;
}

void SyncSchedule::Answered(absl::Duration now, absl::Duration next_call, absl::Duration news) {
  in_flight_ = false;
  was_answered_ = true;
  failures_ = 0;
  away_since_.reset();
  next_ = now + std::clamp(next_call, kMinNextCall, kMaxNextCall);
  news_from_ = now + std::clamp(news, absl::ZeroDuration(), kMaxNextCall);
  if (last_in_flight_) last_was_answered_ = true;
}

void SyncSchedule::Failed(absl::Duration now, double jitter) {
  in_flight_ = false;
  if (!away_since_) away_since_ = now;
  ++failures_;
  const int counted = draining_ ? drain_failures_++ : failures_ - 1;
  next_ = now + BackoffDelay(retry_, counted, jitter);
}

bool SyncSchedule::CutShort(absl::Duration now) {
  if (!std::exchange(cut_short_, false)) return false;
  in_flight_ = false;
  next_ = now;
  return true;
}

void SyncSchedule::Drain(absl::Duration now) {
  draining_ = true;
  cut_short_ = in_flight_;
  // The deadline is near: do not sit out a back-off of an earlier outage.
  next_ = now;
}

}  // namespace gridsweep::agent
