#include "worker/agent/machine_info.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <fstream>
#include <limits>
#include <mutex>
#include <optional>
#include <sstream>
#include <thread>

#include "worker/agent/trainer_events.h"
#include "worker/agent/trainer_process.h"

namespace gridsweep::agent {
namespace {

std::string ReadText(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::optional<int64_t> ParseInteger(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  return value;
}

// Our control group's folder and those above it (v2), innermost first. In a container the root is ours.
std::vector<std::string> ControlGroups() {
  const std::string membership = ReadText("/proc/self/cgroup");
  std::string path;
  if (const size_t at = membership.find("0::"); at != std::string::npos) {
    path = membership.substr(at + 3, membership.find('\n', at) - at - 3);
  }
  std::vector<std::string> folders;
  for (; path.size() > 1; path.resize(path.rfind('/'))) folders.push_back("/sys/fs/cgroup" + path);
  folders.push_back("/sys/fs/cgroup");
  return folders;
}

bool IsCuda(std::string_view name) {
  const std::string_view prefix = "cuda:";
  if (name.substr(0, prefix.size()) != prefix) return false;
  const std::string_view digits = name.substr(prefix.size());
  return !digits.empty() && digits.size() <= 3 &&
         digits.find_first_not_of("0123456789") == std::string_view::npos;
}

const Device* FindDevice(const std::vector<Device>& devices, std::string_view name) {
  const auto it =
      std::find_if(devices.begin(), devices.end(), [&](const Device& d) { return d.name == name; });
  return it == devices.end() ? nullptr : &*it;
}

}  // namespace

std::string HostName() {
  char name[256] = {};
  return gethostname(name, sizeof(name) - 1) == 0 && name[0] != '\0' ? name : "localhost";
}

std::string ParseCpuModel(std::string_view cpuinfo) {
  const size_t key = cpuinfo.find("model name");
  if (key == std::string_view::npos) return "";
  const std::string_view line = cpuinfo.substr(key, cpuinfo.find('\n', key) - key);
  const size_t start = line.find_first_not_of(": \t", line.find(':'));
  return start == std::string_view::npos ? "" : std::string(line.substr(start));
}

std::string CpuModel() {
  const std::string model = ParseCpuModel(ReadText("/proc/cpuinfo"));
  return model.empty() ? "cpu" : model;
}

int64_t TotalMemoryBytes() {
  int64_t bytes = static_cast<int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE);
  for (const std::string& folder : ControlGroups()) {
    const std::optional<int64_t> limit = ParseInteger(ReadText(folder + "/memory.max"));
    if (limit && *limit > 0) bytes = std::min(bytes, *limit);
  }
  return bytes;
}

int CoresWithinQuota(int cores, std::string_view cpu_max) {
  const size_t space = cpu_max.find(' ');
  if (space == std::string_view::npos) return cores;
  const std::optional<int64_t> quota = ParseInteger(cpu_max.substr(0, space));
  const std::optional<int64_t> period = ParseInteger(cpu_max.substr(space + 1));
  if (!quota || !period || *quota <= 0 || *period <= 0) return cores;
  return static_cast<int>(std::clamp<int64_t>(*quota / *period, 1, cores));
}

int UsableCores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  int cores = sched_getaffinity(0, sizeof(set), &set) == 0
                  ? CPU_COUNT(&set)
                  : static_cast<int>(std::thread::hardware_concurrency());
  cores = std::max(cores, 1);
  for (const std::string& folder : ControlGroups())
    cores = CoresWithinQuota(cores, ReadText(folder + "/cpu.max"));
  return cores;
}

absl::StatusOr<std::vector<Device>> ChooseDevices(std::string_view spec, const std::vector<Device>& found,
                                                  int slots, int cores) {
  std::vector<std::string> names;
  if (spec == "auto") {
    for (const Device& device : found) {
      if (IsCuda(device.name)) names.push_back(device.name);
    }
    if (names.empty()) names.push_back("cpu");
  } else {
    for (size_t start = 0; start <= spec.size();) {
      const size_t comma = std::min(spec.find(',', start), spec.size());
      names.emplace_back(spec.substr(start, comma - start));
      start = comma + 1;
    }
  }
  std::vector<Device> devices;
  for (const std::string& name : names) {
    if (name != "cpu" && !IsCuda(name)) {
      return InvalidArgument("unknown device '{}', expected auto or a comma-separated list of cpu and cuda:N",
                             name);
    }
    if (FindDevice(devices, name) != nullptr) return InvalidArgument("device '{}' is given twice", name);
    const Device* known = FindDevice(found, name);
    if (known == nullptr && !found.empty() && name != "cpu") {
      std::string list;
      for (const Device& device : found) list += (list.empty() ? "" : ", ") + device.name;
      return NotFound("this machine has no device '{}', the trainer sees: {}", name, list);
    }
    Device device = known ? *known : Device{.name = name};
    if (name == "cpu" && device.model.empty()) device.model = CpuModel();
    if (name == "cpu" && device.memory_bytes == 0) device.memory_bytes = TotalMemoryBytes();
    device.slots = slots > 0 ? slots : name == "cpu" ? cores : 1;
    devices.push_back(std::move(device));
  }
  return devices;
}

absl::StatusOr<std::vector<Device>> AskTrainerForDevices(const std::string& trainer) {
  std::mutex mu;
  std::condition_variable exited;
  std::string text;
  std::optional<TrainerExit> exit;
  GS_ASSIGN_OR_RETURN(const auto process, TrainerProcess::Start({trainer, "--list-devices"},
                                                                {.on_line =
                                                                     [&](std::string_view line) {
                                                                       const std::lock_guard lock(mu);
                                                                       text.append(line).push_back('\n');
                                                                     },
                                                                 .on_exit =
                                                                     [&](const TrainerExit& e) {
                                                                       const std::lock_guard lock(mu);
                                                                       exit = e;
                                                                       exited.notify_all();
                                                                     }}));
  process->CloseInput();
  std::unique_lock lock(mu);
  if (!exited.wait_for(lock, std::chrono::minutes(1), [&] { return exit.has_value(); })) {
    lock.unlock();  // the callbacks need it while the process is destroyed
    return Unavailable("'{} --list-devices' did not answer within a minute", trainer);
  }
  if (exit->description != "exit status 0") {
    return Unavailable("'{} --list-devices' failed: {}", trainer, exit->description);
  }
  return ParseDeviceList(text);
}

}  // namespace gridsweep::agent
