// Witness: exchanges with workers.
#include <algorithm>

#include "tests/simulation/witness.h"

namespace gridsweep {

void Witness::SyncBegins(const SyncInput& input) {
  claimed_ = 0;
  held_before_.clear();
  for (const HeldAttempt& held : input.held) {
    const Known* const its = FindOf(input.worker, held.attempt, held.token);
    held_before_.push_back(its != nullptr && its->state == AttemptState::kOpen);
  }
}

void Witness::SyncEnds(const SyncInput& input, const absl::StatusOr<SyncOutput>& output) {
  const std::pair<std::string, std::string> session(input.worker, input.session);
  if (absl::IsAborted(output.status())) {
    if (!superseded_.contains(session))
      Object(fmt::format("{} was turned away, and there is no newer one: {}", input.worker,
                         Message(output.status())));
    return;
  }
  if (absl::IsInvalidArgument(output.status()) || absl::IsFailedPrecondition(output.status()) ||
      absl::IsNotFound(output.status()))
    return Object(fmt::format("{} was refused: {}", input.worker, Message(output.status())));
  // The disk's trouble. Or a session that is asked who it is: nothing else was done.
  if (!output.ok() || (output->send_info && output->next_call == absl::ZeroDuration())) return;
  CheckAnswer(input, *output);
  CheckBurden(input);
  uint64_t& highest = sync_seq_[session];
  if (claimed_ > 0 && input.sync_seq < highest)
    Object(fmt::format("a late copy of {}'s request was given work", input.worker));
  highest = std::max(highest, input.sync_seq);
}

// Who runs what is over must be told to stop, and nobody else.
void Witness::CheckAnswer(const SyncInput& input, const SyncOutput& output) {
  for (size_t i = 0; i < input.held.size(); ++i) {
    const AttemptId attempt = input.held[i].attempt;
    const Known* const its = FindOf(input.worker, attempt, input.held[i].token);
    const bool is_open = its != nullptr && its->state == AttemptState::kOpen;
    const bool told = std::find(output.stop.begin(), output.stop.end(), attempt) != output.stop.end();
    if (is_open) heard_[attempt.value] = events_->now();
    if (is_open && told) Object(fmt::format("attempt {} was told to stop, and is open", attempt.value));
    if (!is_open && !held_before_[i] && !told)
      Object(fmt::format("attempt {} was not told to stop, and is over", attempt.value));
  }
  for (const AttemptEvents& events : input.events) {
    if (FindOf(input.worker, events.attempt, events.token) != nullptr)
      heard_[events.attempt.value] = events_->now();
  }
  for (const ClaimedJob& lease : output.leases) {
    const Known* const its = FindOf(input.worker, lease.attempt.attempt, lease.attempt.token);
    if (its == nullptr || its->state != AttemptState::kOpen)
      Object(fmt::format("{} was given a lease of attempt {} that is not its own", input.worker,
                         lease.attempt.attempt.value));
  }
}

// Nobody has more than it has slots for, or what its predecessor had.
void Witness::CheckBurden(const SyncInput& input) {
  for (const auto& [id, worker] : books_.workers) {
    if (worker.name != input.worker) continue;
    std::set<int64_t> bundles;
    for (const auto& [attempt, known] : books_.attempts) {
      if (known.worker != id || known.state != AttemptState::kOpen) continue;
      bundles.insert(known.bundle == 0 ? attempt : known.bundle);
      if (!known.session.empty() && known.session != worker.session)
        Object(fmt::format("attempt {} is open, and its worker was restarted", attempt));
    }
    if (std::ssize(bundles) > worker.slots)
      Object(
          fmt::format("{} has {} jobs or bundles for {} slots", input.worker, bundles.size(), worker.slots));
  }
}

}  // namespace gridsweep
