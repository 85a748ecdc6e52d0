#include "coordinator/service/call_gate.h"

namespace gridsweep {

absl::Status CallGate::Admit(RateLimiter& limiter, const std::string& who) {
  const absl::Duration wait = limiter.Take(who, clock_->Now().monotonic);
  if (wait == absl::ZeroDuration()) return absl::OkStatus();
  metrics_->limited_calls.fetch_add(1, std::memory_order_relaxed);
  return ResourceExhausted("'{}' calls too often: try again in {:.3f} s", who, absl::ToDoubleSeconds(wait));
}

absl::Status CallGate::AdmitUser(const std::string& who) {
  return Admit(users_, who);
}

absl::Status CallGate::AdmitWorker(const std::string& worker, const std::string& address) {
  return workers_.Knows(worker) ? Admit(workers_, worker) : Admit(newcomers_, address);
}

void CallGate::Registered(const std::string& worker) {
  if (!workers_.Knows(worker)) workers_.Take(worker, clock_->Now().monotonic);
}

std::string AddressOf(std::string_view peer) {
  return std::string(peer.substr(0, peer.rfind(':')));
}

}  // namespace gridsweep
