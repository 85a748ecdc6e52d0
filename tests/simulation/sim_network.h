// A network between workers and the coordinator that drops, duplicates, delays, reorders and partitions.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "common/base/status.h"
#include "tests/simulation/event_queue.h"
#include "tests/simulation/sim_random.h"

namespace gridsweep {

struct NetworkFaults {
  double lose = 0;       // a request or an answer
  double duplicate = 0;  // a request arrives again, up to `late` later
  double slow = 0;       // of the messages: up to `late` under way
  absl::Duration late = absl::Seconds(40);
};

// Calls with an answer, as unary RPCs are. Not thread-safe; neither clock nor randomness is owned.
class SimNetwork {
 public:
  using Answer = absl::StatusOr<std::string>;
  // Takes a request and calls back once, or never if the server dies.
  using Server = std::function<void(const std::string& request, std::function<void(Answer)> reply)>;

  static constexpr absl::Duration kDeadline = absl::Seconds(20);

  SimNetwork(EventQueue* events, SimRandom* random) : events_(events), random_(random) {}

  void set_faults(const NetworkFaults& faults) { faults_ = faults; }
  // Nothing listens while it is null: calls are refused.
  void set_server(Server server) { server_ = std::move(server); }
  // Cuts a client off, one way or both.
  void Cut(const std::string& client, bool requests, bool answers);
  void Heal();

  // `done` is called once: with the answer, UNAVAILABLE if it is refused, or DEADLINE_EXCEEDED.
  void Call(const std::string& client, std::string request, std::function<void(const Answer&)> done);

 private:
  struct Pending {
    std::function<void(const Answer&)> done;  // null once it was called
  };
  void Arrive(const std::string& client, const std::string& request, const std::shared_ptr<Pending>& pending);
  void Finish(const std::shared_ptr<Pending>& pending, const Answer& answer);
  absl::Duration Travel();

  EventQueue* const events_;
  SimRandom* const random_;
  NetworkFaults faults_;
  Server server_;
  std::set<std::string> requests_cut_, answers_cut_;
};

}  // namespace gridsweep
