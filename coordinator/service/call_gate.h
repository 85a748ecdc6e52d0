// Keeps one caller from taking the coordinator away from all others.
#pragma once

#include <string>
#include <string_view>

#include "common/base/clock.h"
#include "common/base/rate_limiter.h"
#include "common/base/status.h"
#include "coordinator/metrics/coordinator_metrics.h"

namespace gridsweep {

// Thread-safe. Nothing passed in is owned; all must outlive the gate.
class CallGate {
 public:
  // Generous: a fleet of a thousand workers behind one address, paced as the coordinator paces it, makes about a thousand calls
  // a second. What is limited is a loop gone wild.
  struct Options {
    RateLimiter::Options users{.per_second = 500,
                               .burst = 2'000};  // all but workers, each by who or where it is
    // Workers that have not registered since we started, by address: some thousands come back at once after a restart.
    RateLimiter::Options newcomers{.per_second = 500, .burst = 5'000};
    RateLimiter::Options workers{
        .per_second = 2'000, .burst = 4'000, .max_callers = 65'536};  // each registered one
  };
  CallGate(const Options& options, const Clock* clock, CoordinatorMetrics* metrics)
      : clock_(clock),
        metrics_(metrics),
        users_(options.users),
        newcomers_(options.newcomers),
        workers_(options.workers) {}

  // RESOURCE_EXHAUSTED, saying when to call again. `who`: an identity, or without one an address.
  absl::Status AdmitUser(const std::string& who);
  // A registered worker has its own allowance, which no stranger at its address can use up.
  absl::Status AdmitWorker(const std::string& worker, const std::string& address);
  // It may call as itself from now on.
  void Registered(const std::string& worker);

 private:
  absl::Status Admit(RateLimiter& limiter, const std::string& who);

  const Clock* const clock_;
  CoordinatorMetrics* const metrics_;
  RateLimiter users_;
  RateLimiter newcomers_;
  RateLimiter workers_;
};

// The address in what gRPC calls a peer, without the port, which is another one with each connection:
// "ipv4:10.0.0.5:40112" → "ipv4:10.0.0.5".
std::string AddressOf(std::string_view peer);

}  // namespace gridsweep
