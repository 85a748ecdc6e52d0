// What the live view shows, as JSON (dashboard/src/data/report.ts).
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/ids.h"
#include "coordinator/service/sweep_service.h"
#include "coordinator/store/store_reader.h"

namespace gridsweep {

// Thread-safe. Pointers are not owned and must outlive it.
class LiveContent {
 public:
  LiveContent(SweepService* service, StoreReader* reader, const Clock* clock)
      : service_(service), reader_(reader), clock_(clock) {}

  absl::StatusOr<std::string> Sweeps();
  // While a sweep runs, a report of a few seconds ago: reports of large sweeps take a while, and many may watch.
  absl::StatusOr<std::string> Report(SweepId sweep);
  absl::StatusOr<std::string> Progress(SweepId sweep);
  absl::StatusOr<std::string> Section(SweepId sweep, const std::string& name);

 private:
  struct MadeReport {
    int64_t results = 0;
    absl::Time made;
    absl::Duration took;
    std::string json;
  };

  SweepService* const service_;
  StoreReader* const reader_;
  const Clock* const clock_;
  std::mutex mutex_;                       // held while a report is made: one at a time
  std::map<SweepId, MadeReport> reports_;  // guarded by mutex_
};

}  // namespace gridsweep
