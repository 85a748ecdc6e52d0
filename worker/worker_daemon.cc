#include "worker/worker_daemon.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "common/base/address.h"
#include "common/base/log.h"
#include "common/base/random.h"
#include "common/base/version.h"
#include "common/data/dataset.h"
#include "common/rpc/channel.h"
#include "worker/agent/machine_info.h"

namespace gridsweep {
namespace {

constexpr std::string_view kNameCharacters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
constexpr size_t kMaxNameBytes = 128;

absl::Status CheckName(const std::string& name) {
  if (!name.empty() && name.size() <= kMaxNameBytes &&
      name.find_first_not_of(kNameCharacters) == std::string::npos) {
    return absl::OkStatus();
  }
  return InvalidArgument(
      "worker name '{}' is not allowed, expected 1 to {} letters, digits, dots, dashes or underscores", name,
      kMaxNameBytes);
}

absl::StatusOr<std::string> FindTrainer(const std::string& given) {
  std::error_code error;
  std::string path = given;
  if (path.empty()) {
    path = std::filesystem::read_symlink("/proc/self/exe", error).parent_path() / "gridsweep-trainer";
  }
  if (access(path.c_str(), X_OK) == 0 && !std::filesystem::is_directory(path, error)) return path;
  return NotFound(
      "no trainer program at '{}': build or install gridsweep with LibTorch, or point --trainer at it", path);
}

}  // namespace

std::string DefaultCheckpoints(const std::string& worker) {
  const auto folder = [](const char* variable) {
    const char* value = std::getenv(variable);
    return std::string(value == nullptr ? "" : value);
  };
  std::string state = folder("XDG_STATE_HOME");
  if (state.empty() && !folder("HOME").empty()) state = folder("HOME") + "/.local/state";
  return state.empty() ? "" : fmt::format("{}/gridsweep/checkpoints/{}", state, worker);
}

absl::StatusOr<std::unique_ptr<agent::WorkerAgent>> StartWorkerDaemon(const WorkerConfig& config,
                                                                      const Clock* clock) {
  GS_RETURN_IF_ERROR(CheckAddress("coordinator address", config.coordinator.address));
  const std::string host = agent::HostName();
  const std::string name = config.name.empty() ? fmt::format("{}-{}", host, RandomHex(4)) : config.name;
  GS_RETURN_IF_ERROR(CheckName(name));
  agent::WorkerAgentOptions options;
  GS_ASSIGN_OR_RETURN(options.coordinator, ConnectTo(config.coordinator));
  GS_ASSIGN_OR_RETURN(options.trainer, FindTrainer(config.trainer));
  options.data_dirs = config.data_dirs.empty() ? DefaultDataDirs() : config.data_dirs;
  options.core.worker = name;
  options.core.session = RandomHex(16);
  options.core.hang_timeout = config.hang_timeout;
  options.core.jitter = RandomUnit;
  if (!config.no_checkpoints) {
    // A name of eight random digits does not come back, so such workers of a machine share a folder.
    options.checkpoints = config.checkpoints.empty() ? DefaultCheckpoints(config.name.empty() ? host : name)
                                                     : config.checkpoints;
    options.checkpoint_interval = config.checkpoint_interval;
    options.core.checkpoints = !options.checkpoints.empty();
    if (options.core.checkpoints) GS_RETURN_IF_ERROR(agent::CheckpointFolder(options.checkpoints).Create());
  }

  agent::WorkerInfo info;
  info.host = host;
  info.pid = getpid();
  info.memory_bytes = agent::TotalMemoryBytes();
  info.version = Version();
  for (const DatasetFiles& files : ListDatasets(options.data_dirs)) info.datasets.push_back(files.name);
  std::vector<agent::Device> found;
  if (config.devices == "auto" || config.devices.find("cuda") != std::string::npos) {
    absl::StatusOr<std::vector<agent::Device>> answer = agent::AskTrainerForDevices(options.trainer);
    // Training on the CPU of a machine with a GPU would look like success.
    if (!answer.ok()) {
      return Annotate(answer.status(),
                      "cannot find out what devices there are (--devices cpu needs no answer)");
    }
    found = *std::move(answer);
  }
  GS_ASSIGN_OR_RETURN(info.devices,
                      agent::ChooseDevices(config.devices, found, config.slots, agent::UsableCores()));
  for (const agent::Device& device : info.devices) {
    Log(LogLevel::kInfo, "device", {{"name", device.name}, {"model", device.model}, {"slots", device.slots}});
  }
  Log(LogLevel::kInfo, "worker_started",
      {{"worker", name},
       {"coordinator", config.coordinator.address},
       {"datasets", info.datasets.size()},
       {"version", info.version}});
  return std::make_unique<agent::WorkerAgent>(std::move(options), std::move(info), clock);
}

}  // namespace gridsweep
