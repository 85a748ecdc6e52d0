// Trains one job from start to end.
#pragma once

#include "worker/trainer/components/registry.h"
#include "worker/trainer/device_dataset.h"
#include "worker/trainer/job_listener.h"

namespace gridsweep {

// Thread-safe: each call is a job of its own and shares nothing but the data. Borrows its arguments.
class JobRunner {
 public:
  JobRunner(const Registry& registry, DatasetCache& datasets, at::Device device)
      : registry_(registry), catalog_(registry.MakeCatalog()), datasets_(datasets), device_(device) {}

  // A RunJobFunction, see there. Throws nothing.
  absl::StatusOr<JobOutcome> Run(const Json& job, JobListener& listener);

 private:
  const Registry& registry_;
  const Catalog catalog_;
  DatasetCache& datasets_;
  const at::Device device_;
};

}  // namespace gridsweep
