// What this machine is and which of its devices to train on.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/status.h"
#include "worker/agent/sync_messages.h"

namespace gridsweep::agent {

std::string HostName();
std::string CpuModel();      // "AMD EPYC 7B13", or "cpu" if the kernel does not say
int64_t TotalMemoryBytes();  // of the machine, or of our control group if that is less
int UsableCores();           // by CPU affinity and control group quota; at least 1

// Cores left by a cgroup v2 `cpu.max` ("max 100000", "150000 100000"): the quota in whole cores, at least 1,
// at most `cores`. Text that is not understood is no limit.
int CoresWithinQuota(int cores, std::string_view cpu_max);

// The model name in the text of /proc/cpuinfo, or "".
std::string ParseCpuModel(std::string_view cpuinfo);

// The devices meant by `spec`: "auto" or a comma-separated list of "cpu" and "cuda:N". `found` are the
// devices the trainer says there are, empty if it was not asked: "auto" then means the CPU, else all
// CUDA devices or, without one, the CPU. `slots` > 0 is used for each device; 0 means `cores` on the CPU and
// 1 on others. Returns INVALID_ARGUMENT for a malformed or repeated name, NOT_FOUND for a CUDA device that
// `found`, if not empty, does not list.
absl::StatusOr<std::vector<Device>> ChooseDevices(std::string_view spec, const std::vector<Device>& found,
                                                  int slots, int cores);

// Runs `trainer --list-devices`. Returns an error if it cannot be started, takes longer than a minute, fails
// or answers nonsense.
absl::StatusOr<std::vector<Device>> AskTrainerForDevices(const std::string& trainer);

}  // namespace gridsweep::agent
