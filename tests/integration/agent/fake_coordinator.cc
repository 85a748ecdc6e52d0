#include "tests/integration/agent/fake_coordinator.h"

#include <algorithm>
#include <set>

namespace gridsweep {

std::string FakeCoordinator::Describe() const {
  const std::lock_guard lock(mu_);
  std::string text =
      fmt::format("{} requests; last: {}; stored:", requests_, last_request_.ShortDebugString());
  for (const auto& [attempt, events] : events_) {
    text += fmt::format(" attempt {}: {} events, last {};", attempt, events.size(),
                        events.back().ShortDebugString());
  }
  return text;
}

grpc::Status FakeCoordinator::Sync(grpc::ServerContext* context, const v1::SyncRequest* request,
                                   v1::SyncResponse* response) {
  const std::lock_guard lock(mu_);
  if (context->IsCancelled()) return grpc::Status::CANCELLED;
  ++requests_;
  if (failure_) return *failure_;
  if (requests_ > 1 && request->session() == last_request_.session() &&
      request->sync_seq() <= last_request_.sync_seq()) {
    complaints_.push_back("sync_seq does not grow");
  }
  last_request_ = *request;
  if (request->has_info()) info_ = request->info();
  for (const v1::AttemptEvents& batch : request->events()) Store(batch, *response);
  for (const int64_t attempt : stop_) {
    response->add_stop(attempt);
    leases_.erase(attempt);
  }
  stop_.clear();
  Lease(*request, *response);
  response->set_next_call_ms(20);
  response->set_lease_ms(30'000);
  if (lose_answers_ > 0) {
    --lose_answers_;
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "the answer is lost");
  }
  return grpc::Status::OK;
}

void FakeCoordinator::Store(const v1::AttemptEvents& batch, v1::SyncResponse& response) {
  std::vector<v1::AttemptEvent>& stored = events_[batch.attempt()];
  if (batch.token() != "token" + std::to_string(batch.attempt())) complaints_.push_back("wrong token");
  for (const v1::AttemptEvent& event : batch.events()) {
    if (event.seq() <= stored.size()) {
      if (event.SerializeAsString() != stored[event.seq() - 1].SerializeAsString()) {
        complaints_.push_back("an event has changed: " + event.ShortDebugString());
      }
      continue;
    }
    if (event.seq() != stored.size() + 1)
      complaints_.push_back("a gap before event " + event.ShortDebugString());
    stored.push_back(event);
    if (event.has_finished()) leases_.erase(batch.attempt());
  }
  v1::StoredSeq* answer = response.add_stored();
  answer->set_attempt(batch.attempt());
  answer->set_seq(stored.size());
}

void FakeCoordinator::Lease(const v1::SyncRequest& request, v1::SyncResponse& response) {
  std::set<int64_t> held;
  for (const v1::HeldAttempt& attempt : request.held()) held.insert(attempt.attempt());
  int room = request.room();
  for (const auto& [attempt, lease] : leases_) {
    if (held.count(attempt) != 0 && !repeat_leases_) continue;
    *response.add_leases() = lease;
    if (held.count(attempt) == 0) --room;
  }
  for (; room > 0 && !jobs_.empty(); --room) {
    v1::Lease lease;
    lease.set_attempt(++last_attempt_);
    lease.set_token("token" + std::to_string(last_attempt_));
    lease.set_job(100 + last_attempt_);
    lease.set_sweep(1);
    lease.set_job_json(jobs_.front());
    jobs_.pop_front();
    leases_[last_attempt_] = lease;
    *response.add_leases() = lease;
  }
}

}  // namespace gridsweep
