// Data sets as tensors on the device, shared by all jobs of the process.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "common/data/dataset.h"
#include "common/job/metrics.h"
#include "worker/trainer/aten.h"

namespace gridsweep {

// Images with their labels, on the device.
struct ImageSet {
  at::Tensor pixels;  // uint8 [n, 1, rows, columns]
  at::Tensor labels;  // int64 [n]
  int64_t size() const { return pixels.size(0); }
};

// One batch, ready for a model: float in [0, 1] and labels. `indices` is int64 [b] on the set's device.
struct Batch {
  at::Tensor images, labels;
};
Batch Gather(const ImageSet& set, const at::Tensor& indices);

// Immutable; thread-safe.
struct DeviceDataset {
  DatasetInfo info;
  int64_t rows = 0;
  int64_t columns = 0;
  ImageSet train, test;
  std::vector<uint8_t> train_labels;  // on the host, for the split
};

// Moves `data` to the device.
std::shared_ptr<const DeviceDataset> ToDevice(Dataset data, at::Device device);

// Reads each data set once and keeps the one last asked for, and any that a job still uses. Thread-safe: who
// asks for a set that is being read waits for it.
class DatasetCache {
 public:
  DatasetCache(std::vector<std::string> directories, at::Device device)
      : directories_(std::move(directories)), device_(device) {}

  // Returns the errors of FindDataset and LoadDataset, FAILED_PRECONDITION if `digest` is not empty and the
  // data's is another. May throw what LibTorch throws.
  absl::StatusOr<std::shared_ptr<const DeviceDataset>> Get(const std::string& name,
                                                           const std::string& digest);

 private:
  const std::vector<std::string> directories_;
  const at::Device device_;

  std::mutex mutex_;
  // Guarded by mutex_.
  std::vector<std::weak_ptr<const DeviceDataset>> known_;
  std::shared_ptr<const DeviceDataset> latest_;
};

}  // namespace gridsweep
