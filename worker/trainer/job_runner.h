// Turns job documents into training: reads them and the data, and says how each job ended.
#pragma once

#include <utility>

#include "worker/trainer/bundle_training.h"
#include "worker/trainer/components/registry.h"
#include "worker/trainer/device_dataset.h"
#include "worker/trainer/job_listener.h"

namespace gridsweep {

// Thread-safe: each call is a bundle of its own and shares nothing but the data. Borrows its arguments.
class JobRunner {
 public:
  JobRunner(const Registry& registry, DatasetCache& datasets, at::Device device, Kernels kernels,
            CheckpointSettings checkpoints)
      : registry_(registry),
        catalog_(registry.MakeCatalog()),
        datasets_(datasets),
        device_(device),
        kernels_(kernels),
        checkpoints_(std::move(checkpoints)) {}

  // A RunJobsFunction, see there. Throws nothing.
  absl::Status Run(const std::vector<JobTask>& tasks);

 private:
  const Registry& registry_;
  const Catalog catalog_;
  DatasetCache& datasets_;
  const at::Device device_;
  const Kernels kernels_;
  const CheckpointSettings checkpoints_;
};

}  // namespace gridsweep
