// Devices of this machine that the linked LibTorch can train on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/status.h"

namespace gridsweep {

struct DeviceInfo {
  std::string name;   // "cpu", "cuda:0", …
  std::string model;  // as its maker calls it
  int64_t memory_bytes = 0;
};

// "cpu" first, then every CUDA device.
std::vector<DeviceInfo> ListDevices();
// Returns INVALID_ARGUMENT if `name` is not "cpu" or "cuda:N", NOT_FOUND listing the devices there are.
absl::StatusOr<DeviceInfo> FindDevice(const std::string& name);

std::string LibTorchVersion();  // "1.13.0"

// Process-wide switches: deterministic algorithms, no autotuning of kernels. Call once, before the first job.
void ConfigureTorch();
// One thread for everything that the calling thread computes. Call first in each thread that trains.
void ConfigureTrainingThread();

}  // namespace gridsweep
