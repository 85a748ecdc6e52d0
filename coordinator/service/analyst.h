// Keeps the stored statistics of all sweeps up to date (Store::StoreAnalysis), beside everything else that goes on.
#pragma once

#include <map>

#include "absl/time/time.h"
#include "common/base/clock.h"
#include "coordinator/queue/commit_loop.h"
#include "coordinator/store/store.h"
#include "coordinator/store/store_reader.h"

namespace gridsweep {

// The analysis of a sweep as it is now, with the standings of at most `most` cells, the best.
absl::StatusOr<SweepAnalysis> AnalyzeSweep(StoreReader& reader, SweepId sweep, int64_t most);

// Not thread-safe. Pointers are not owned and must outlive it.
class Analyst {
 public:
  Analyst(CommitLoop* loop, Store* store, StoreReader* reader, const Clock* clock)
      : loop_(loop), store_(store), reader_(reader), clock_(clock) {}

  // Analyses each sweep that has more results than when it was analysed last: at once if it has ended or this is the `last` look,
  // else when enough time has passed that the analysis stays a small part of the coordinator's work. Errors are logged.
  void Look(bool last);

 private:
  struct Known {
    int64_t results = 0;
    absl::Time next = absl::InfinitePast();  // not before
  };
  absl::Status LookAtAll(bool last);
  absl::Status Analyze(const SweepRecord& sweep, Known& known);

  CommitLoop* const loop_;
  Store* const store_;
  StoreReader* const reader_;
  const Clock* const clock_;
  bool begun_ = false;  // known_ holds what is stored
  std::map<SweepId, Known> known_;
};

}  // namespace gridsweep
