#include "worker/agent/attempt_book.h"

#include <algorithm>
#include <set>
#include <utility>

namespace gridsweep::agent {
namespace {

// An upper estimate of the event's size on the wire.
size_t EstimatedBytes(const AttemptEvent& event) {
  if (const auto* started = std::get_if<AttemptStarted>(&event.body)) {
    size_t bytes = 200 + started->environment.size();
    for (const std::string& name : started->dataset.class_names) bytes += 4 + name.size();
    return bytes;
  }
  if (const auto* finished = std::get_if<AttemptFinished>(&event.body)) {
    return 100 + finished->error.size() + finished->stderr_tail.size() +
           10 * finished->evaluation.confusion.size() + 40 * finished->evaluation.predictions.size();
  }
  return 110;
}

}  // namespace

Attempt& AttemptBook::Add(const Lease& lease, size_t device, absl::Duration now) {
  Attempt& attempt = attempts_[lease.attempt];
  attempt.id = lease.attempt;
  attempt.token = lease.token;
  attempt.job = lease.job;
  attempt.bundle = lease.bundle;
  attempt.device = device;
  attempt.last_sign = now;
  return attempt;
}

Attempt* AttemptBook::Find(int64_t id) {
  const auto it = attempts_.find(id);
  return it == attempts_.end() ? nullptr : &it->second;
}

void AttemptBook::Record(Attempt& attempt, EventBody body) {
  if (std::holds_alternative<AttemptFinished>(body)) attempt.phase = AttemptPhase::kFinished;
  attempt.events.push_back({attempt.next_seq++, std::move(body)});
}

std::optional<Attempt> AttemptBook::Acknowledge(const StoredSeq& stored) {
  Attempt* attempt = Find(stored.attempt);
  if (attempt == nullptr) return std::nullopt;
  while (!attempt->events.empty() && attempt->events.front().seq <= stored.seq) attempt->events.pop_front();
  if (attempt->phase != AttemptPhase::kFinished || !attempt->events.empty()) return std::nullopt;
  std::optional<Attempt> over = std::move(*attempt);
  Erase(stored.attempt);
  return over;
}

void AttemptBook::RestartTimers(absl::Duration now) {
  for (auto& [id, attempt] : attempts_) attempt.last_sign = attempt.stop_since = now;
}

std::vector<HeldAttempt> AttemptBook::Held(const std::vector<Device>& devices) const {
  std::vector<HeldAttempt> held;
  for (const auto& [id, attempt] : attempts_) {
    if (attempt.phase == AttemptPhase::kStopping) continue;
    held.push_back({id, attempt.token, devices[attempt.device].name, attempt.epoch, attempt.fraction});
  }
  return held;
}

std::vector<AttemptEvents> AttemptBook::TakeEvents(size_t budget) {
  std::vector<AttemptEvents> batches;
  size_t used = 0;
  for (auto& [id, attempt] : attempts_) {
    if (attempt.events.empty()) continue;
    AttemptEvents batch{id, attempt.token, {}};
    for (const AttemptEvent& event : attempt.events) {
      const size_t bytes = EstimatedBytes(event);
      if (used > 0 && used + bytes > budget) break;
      used += bytes;
      batch.events.push_back(event);
    }
    if (batch.events.empty()) break;
    attempt.sent_seq = std::max(attempt.sent_seq, batch.events.back().seq);
    batches.push_back(std::move(batch));
  }
  return batches;
}

bool AttemptBook::HasUnsent() const {
  return std::any_of(attempts_.begin(), attempts_.end(), [](const auto& entry) {
    const Attempt& attempt = entry.second;
    return !attempt.events.empty() && attempt.events.back().seq > attempt.sent_seq;
  });
}

bool AttemptBook::HasUnacknowledged() const {
  return std::any_of(attempts_.begin(), attempts_.end(),
                     [](const auto& entry) { return !entry.second.events.empty(); });
}

int AttemptBook::Occupied(size_t device) const {
  int alone = 0;
  std::set<int64_t> bundles;
  for (const auto& [id, attempt] : attempts_) {
    if (attempt.device != device || attempt.phase == AttemptPhase::kFinished) continue;
    if (attempt.bundle == 0) {
      ++alone;
    } else {
      bundles.insert(attempt.bundle);
    }
  }
  return alone + static_cast<int>(bundles.size());
}

int AttemptBook::OnDevice(size_t device) const {
  return static_cast<int>(std::count_if(attempts_.begin(), attempts_.end(), [device](const auto& entry) {
    return entry.second.device == device && entry.second.phase != AttemptPhase::kFinished &&
           entry.second.phase != AttemptPhase::kFetching;
  }));
}

int AttemptBook::InSlotOf(const Attempt& attempt) const {
  if (attempt.bundle == 0) return 1;
  return static_cast<int>(std::count_if(attempts_.begin(), attempts_.end(), [&](const auto& entry) {
    return entry.second.bundle == attempt.bundle && entry.second.phase != AttemptPhase::kFinished;
  }));
}

void AttemptBook::NoteSign(const Attempt& attempt, absl::Duration now) {
  const int64_t bundle = attempt.bundle;
  for (auto& [id, other] : attempts_) {
    if (id == attempt.id || (bundle != 0 && other.bundle == bundle)) other.last_sign = now;
  }
}

std::vector<int64_t> AttemptBook::InPhase(size_t device, AttemptPhase phase) const {
  std::vector<int64_t> ids;
  for (const auto& [id, attempt] : attempts_) {
    if (attempt.device == device && attempt.phase == phase) ids.push_back(id);
  }
  return ids;
}

}  // namespace gridsweep::agent
