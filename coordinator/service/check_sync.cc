#include "coordinator/service/check_sync.h"

#include <string>

namespace gridsweep {
namespace {

constexpr size_t kName = 256;  // bytes: of workers, hosts, devices, data sets, classes
constexpr size_t kToken = 128;
constexpr size_t kLine = 8 << 10;
constexpr size_t kTail = 256 << 10;
constexpr int kDevices = 1024;
constexpr int kSlots = 4096;  // of a device
constexpr int kDatasets = 10'000;
constexpr int kAttempts = 100'000;
constexpr int kEvents = 1'000'000;  // of a request
constexpr int kClasses = 10'000;
constexpr int kPredictions = 100'000;

absl::Status Text(const char* what, const std::string& text, size_t limit) {
  if (text.size() <= limit) return absl::OkStatus();
  return InvalidArgument("{} has {} bytes, at most {} are allowed", what, text.size(), limit);
}

absl::Status Count(const char* what, int64_t count, int64_t limit) {
  if (count <= limit) return absl::OkStatus();
  return InvalidArgument("a call carries {} {}, at most {} are allowed", count, what, limit);
}

absl::Status Info(const v1::WorkerInfo& info) {
  GS_RETURN_IF_ERROR(Text("a worker's host", info.host(), kName));
  GS_RETURN_IF_ERROR(Text("a worker's version", info.version(), kName));
  GS_RETURN_IF_ERROR(Text("a worker's LibTorch version", info.libtorch_version(), kName));
  GS_RETURN_IF_ERROR(Count("devices", info.devices_size(), kDevices));
  for (const v1::Device& device : info.devices()) {
    GS_RETURN_IF_ERROR(Text("a device's name", device.name(), kName));
    GS_RETURN_IF_ERROR(Text("a device's model", device.model(), kName));
    if (device.slots() < 0 || device.slots() > kSlots)
      return InvalidArgument("a device has {} slots, expected 0 to {}", device.slots(), kSlots);
    if (device.memory_bytes() < 0)
      return InvalidArgument("a device has {} bytes of memory", device.memory_bytes());
  }
  if (info.pid() < 0) return InvalidArgument("a worker has the process id {}", info.pid());
  if (info.memory_bytes() < 0) return InvalidArgument("a worker has {} bytes of memory", info.memory_bytes());
  GS_RETURN_IF_ERROR(Count("data sets", info.datasets_size(), kDatasets));
  for (const std::string& name : info.datasets()) GS_RETURN_IF_ERROR(Text("a data set's name", name, kName));
  return absl::OkStatus();
}

absl::Status Event(const v1::AttemptEvent& event) {
  if (event.has_started()) {
    const v1::AttemptStarted& started = event.started();
    GS_RETURN_IF_ERROR(Text("a device's name", started.device(), kName));
    GS_RETURN_IF_ERROR(Text("an environment", started.environment(), kLine));
    GS_RETURN_IF_ERROR(Text("a data set's name", started.dataset().name(), kName));
    GS_RETURN_IF_ERROR(Text("a data set's digest", started.dataset().digest(), kName));
    GS_RETURN_IF_ERROR(Count("class names", started.dataset().class_names_size(), kClasses));
    for (const std::string& name : started.dataset().class_names())
      GS_RETURN_IF_ERROR(Text("a class's name", name, kName));
  }
  if (event.has_finished()) {
    const v1::AttemptFinished& finished = event.finished();
    GS_RETURN_IF_ERROR(Text("an attempt's error", finished.error(), kLine));
    GS_RETURN_IF_ERROR(Text("an attempt's stderr", finished.stderr_tail(), kTail));
    GS_RETURN_IF_ERROR(Text("a data set's name", finished.unusable_dataset(), kName));
    GS_RETURN_IF_ERROR(
        Count("predictions of an attempt", finished.evaluation().predictions_size(), kPredictions));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckSizes(const v1::SyncRequest& request) {
  GS_RETURN_IF_ERROR(Text("a worker's name", request.worker(), kName));
  GS_RETURN_IF_ERROR(Text("a session", request.session(), kToken));
  if (request.room() < 0) return InvalidArgument("a worker has room for {} jobs", request.room());
  if (request.has_info()) GS_RETURN_IF_ERROR(Info(request.info()));
  GS_RETURN_IF_ERROR(Count("held attempts", request.held_size(), kAttempts));
  for (const v1::HeldAttempt& held : request.held()) {
    GS_RETURN_IF_ERROR(Text("a lease's token", held.token(), kToken));
    GS_RETURN_IF_ERROR(Text("a device's name", held.device(), kName));
  }
  GS_RETURN_IF_ERROR(Count("attempts with events", request.events_size(), kAttempts));
  int64_t events = 0;
  for (const v1::AttemptEvents& of_one : request.events()) {
    GS_RETURN_IF_ERROR(Text("a lease's token", of_one.token(), kToken));
    events += of_one.events_size();
    GS_RETURN_IF_ERROR(Count("events", events, kEvents));
    for (const v1::AttemptEvent& event : of_one.events()) GS_RETURN_IF_ERROR(Event(event));
  }
  return absl::OkStatus();
}

}  // namespace gridsweep
