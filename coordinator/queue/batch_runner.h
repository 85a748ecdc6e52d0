// The coordinator's core: takes requests and the time, decides, stores, and gives the answers that may leave.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "coordinator/queue/job_queue.h"
#include "coordinator/store/store.h"
#include "coordinator/store/store_reader.h"

namespace gridsweep {

// Deterministic: what it does follows from the store, the operations and `now`. It has no clock, thread or socket; the
// commit loop drives it in a coordinator, the simulator in tests. Not thread-safe. Nothing passed in is owned; all must
// outlive it.
class BatchRunner {
 public:
  // Works on the queue and the store, inside a transaction.
  using Operation = std::function<absl::Status(JobQueue&, const Instant&)>;

  struct Outcome {
    absl::Status commit;  // not OK: nothing of the batch has happened
    std::vector<absl::Status>
        results;            // of each operation; UNAVAILABLE for all if the batch could not be stored
    absl::Status leases;    // of looking at the leases, which is tried again with the next batch
    Departures departures;  // told once
    std::optional<WriteTrouble> trouble;  // of the store, as it is now
  };

  BatchRunner(Store* store, StoreReader* reader, JobQueue* queue)
      : store_(store), reader_(reader), queue_(queue) {}

  // Runs the operations, looks at the leases, and commits it all at once. After a batch that was lost the queue is loaded
  // anew before the next.
  Outcome Run(const std::vector<Operation>& operations, const Instant& now);

 private:
  Outcome RunAndCommit(const std::vector<Operation>& operations, const Instant& now);

  Store* const store_;
  StoreReader* const reader_;
  JobQueue* const queue_;
  bool reload_ = false;  // a batch was lost
};

}  // namespace gridsweep
