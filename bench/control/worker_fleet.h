// Many simulated workers, each a real gRPC client with a connection of its own.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <queue>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "bench/control/simulated_worker.h"
#include "gridsweep/v1/worker_service.grpc.pb.h"

namespace gridsweep::bench {

struct FleetOptions {
  std::string coordinator;
  std::string dataset;
  int workers = 1000;
  int slots = 8;
  int epochs = 10;
  absl::Duration epoch = absl::Milliseconds(400);
  absl::Duration join = absl::Seconds(4);  // workers begin within it, as machines are switched on
};

struct FleetReport {
  int64_t epochs_stored = 0;
  int64_t jobs_done = 0;
  int64_t reports = 0;  // of epochs of an attempt
  int64_t failed_calls = 0;
  std::string last_error;
  std::vector<float> sync_ms;  // of each answered call, from sending it
  int connected = 0;           // workers whose last call was answered
};

// Thread-safe.
class WorkerFleet {
 public:
  explicit WorkerFleet(FleetOptions options);
  // Cancels what is in flight and waits for it.
  ~WorkerFleet();

  // What happened since the last call; `connected` as it is now.
  FleetReport Take();

 private:
  struct Member {
    explicit Member(SimulatedWorkerOptions options) : worker(std::move(options)) {}
    SimulatedWorker worker;  // of whoever has taken it from the queue, or of its call's callback
    std::unique_ptr<v1::WorkerService::Stub> stub;
    bool connected = false;  // guarded by the fleet's mutex
  };
  struct Call;
  using Due = std::pair<absl::Duration, size_t>;

  void Run();
  void Start(size_t index);
  void Answered(size_t index, Call& call, bool ok, const std::string& error);

  const FleetOptions options_;
  std::vector<std::unique_ptr<Member>> members_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::priority_queue<Due, std::vector<Due>, std::greater<>>
      due_;                                   // of the members that have no call under way
  std::vector<std::shared_ptr<Call>> calls_;  // under way, by member
  size_t in_flight_ = 0;
  bool stopping_ = false;
  FleetReport report_;
  std::thread thread_;
};

}  // namespace gridsweep::bench
