// A trained model as a file that other programs can load: plain tensors by PyTorch's names, and what they are.
#pragma once

#include <map>
#include <string>

#include "common/job/job_spec.h"
#include "worker/trainer/device_dataset.h"

namespace gridsweep {

// `tensors` are the model after `epoch`, "fc1.weight" and so on. Equal models of equal jobs are equal bytes.
// RESOURCE_EXHAUSTED if it would be too large for a CheckpointFolder. May throw what LibTorch throws.
absl::StatusOr<std::string> WriteModelFile(const std::map<std::string, at::Tensor>& tensors, JobSpec spec,
                                           const DeviceDataset& data, const EpochMetrics& epoch);

}  // namespace gridsweep
