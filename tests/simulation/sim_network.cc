#include "tests/simulation/sim_network.h"

#include <utility>

namespace gridsweep {

void SimNetwork::Cut(const std::string& client, bool requests, bool answers) {
  if (requests) requests_cut_.insert(client);
  if (answers) answers_cut_.insert(client);
}

void SimNetwork::Heal() {
  requests_cut_.clear();
  answers_cut_.clear();
}

absl::Duration SimNetwork::Travel() {
  return random_->Chance(faults_.slow) ? random_->Between(absl::ZeroDuration(), faults_.late)
                                       : random_->Between(absl::Microseconds(50), absl::Milliseconds(5));
}

void SimNetwork::Call(const std::string& client, std::string request,
                      std::function<void(const Answer&)> done) {
  const auto pending = std::make_shared<Pending>(Pending{std::move(done)});
  events_->After(kDeadline,
                 [this, pending] { Finish(pending, absl::DeadlineExceededError("the call took too long")); });
  const int copies = random_->Chance(faults_.duplicate) ? 2 : 1;
  for (int copy = 0; copy < copies; ++copy) {
    if (requests_cut_.contains(client) || random_->Chance(faults_.lose)) continue;
    const absl::Duration extra =
        copy == 0 ? absl::ZeroDuration() : random_->Between(absl::ZeroDuration(), faults_.late);
    events_->After(Travel() + extra, [this, client, request, pending] { Arrive(client, request, pending); });
  }
}

void SimNetwork::Arrive(const std::string& client, const std::string& request,
                        const std::shared_ptr<Pending>& pending) {
  if (server_ == nullptr) {
    events_->After(Travel(),
                   [this, pending] { Finish(pending, absl::UnavailableError("connection refused")); });
    return;
  }
  server_(request, [this, client, pending](const Answer& answer) {
    if (answers_cut_.contains(client) || random_->Chance(faults_.lose)) return;
    events_->After(Travel(), [this, pending, answer] { Finish(pending, answer); });
  });
}

void SimNetwork::Finish(const std::shared_ptr<Pending>& pending, const Answer& answer) {
  if (pending->done == nullptr) return;
  const auto done = std::exchange(pending->done, nullptr);
  done(answer);
}

}  // namespace gridsweep
