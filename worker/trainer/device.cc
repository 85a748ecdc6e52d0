#include "worker/trainer/device.h"

#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "worker/trainer/aten.h"

namespace gridsweep {
namespace {

std::string CpuModel() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);) {
    const size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown CPU";
}

// Name and memory of a CUDA device, from the driver's own library: what LibTorch's headers tell without the
// CUDA toolkit is only how many devices there are. CUDA_VISIBLE_DEVICES renumbers both alike.
DeviceInfo DescribeCuda(int index) {
  DeviceInfo info{fmt::format("cuda:{}", index), "unknown GPU", 0};
  void* driver = dlopen("libcuda.so.1", RTLD_NOW);
  if (driver == nullptr) return info;
  const auto init = reinterpret_cast<int (*)(unsigned)>(dlsym(driver, "cuInit"));
  const auto get = reinterpret_cast<int (*)(int*, int)>(dlsym(driver, "cuDeviceGet"));
  const auto get_name = reinterpret_cast<int (*)(char*, int, int)>(dlsym(driver, "cuDeviceGetName"));
  const auto get_memory = reinterpret_cast<int (*)(size_t*, int)>(dlsym(driver, "cuDeviceTotalMem_v2"));
  int device = 0;
  char name[256] = "";
  size_t bytes = 0;
  if (init != nullptr && get != nullptr && init(0) == 0 && get(&device, index) == 0) {
    if (get_name != nullptr && get_name(name, sizeof(name), device) == 0) info.model = name;
    if (get_memory != nullptr && get_memory(&bytes, device) == 0)
      info.memory_bytes = static_cast<int64_t>(bytes);
  }
  return info;
}

}  // namespace

std::vector<DeviceInfo> ListDevices() {
  const int64_t memory = static_cast<int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE);
  std::vector<DeviceInfo> devices = {{"cpu", CpuModel(), memory}};
  const int count = torch::cuda::is_available() ? static_cast<int>(torch::cuda::device_count()) : 0;
  for (int i = 0; i < count; ++i) devices.push_back(DescribeCuda(i));
  return devices;
}

absl::StatusOr<DeviceInfo> FindDevice(const std::string& name) {
  const bool cuda = name.starts_with("cuda:") && name.size() > 5 && name.size() < 9 &&
                    std::all_of(name.begin() + 5, name.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (name != "cpu" && !cuda) return InvalidArgument("unknown device '{}', expected cpu or cuda:N", name);
  std::vector<std::string> names;
  for (DeviceInfo& device : ListDevices()) {
    if (device.name == name) return std::move(device);
    names.push_back(std::move(device.name));
  }
  return NotFound("no device '{}' here, there is {}", name, fmt::join(names, ", "));
}

std::string LibTorchVersion() {
  return TORCH_VERSION;
}

void ConfigureTorch() {
  auto& context = at::globalContext();
  // Only warn: 2x2 max pooling is listed as non-deterministic on CUDA, though without overlap it is not.
  context.setDeterministicAlgorithms(true, /*warn_only=*/true);
  context.setDeterministicCuDNN(true);
  context.setBenchmarkCuDNN(false);
  at::set_num_interop_threads(1);
}

void ConfigureTrainingThread() {
  at::set_num_threads(1);
  // Denormals cost many cycles on some CPUs; the flag belongs to the thread.
  at::globalContext().setFlushDenormal(true);
}

}  // namespace gridsweep
