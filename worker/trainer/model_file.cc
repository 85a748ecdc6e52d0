#include "worker/trainer/model_file.h"

#include "common/base/version.h"
#include "worker/trainer/checkpoint_folder.h"
#include "worker/trainer/metrics_json.h"
#include "worker/trainer/tensor_bytes.h"

namespace gridsweep {
namespace {

// Not every class name is UTF-8.
std::string Text(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// Without what differs from run to run.
Json Measured(const EpochMetrics& epoch) {
  Json json = MetricsToJson(epoch);
  for (const char* key : {"epoch", "seconds", "samples_per_second", "shared_by"}) json.erase(key);
  return json;
}

}  // namespace

absl::StatusOr<std::string> WriteModelFile(const std::map<std::string, at::Tensor>& tensors, JobSpec spec,
                                           const DeviceDataset& data, const EpochMetrics& epoch) {
  spec.dataset_digest = data.info.digest;
  TensorFile file;
  for (const auto& [name, tensor] : tensors) file.Add(name, tensor);
  return file.Write(
      {{"format", "gridsweep model"},
       {"format_version", "1"},
       {"gridsweep_version", Version()},
       {"job", Text(JobSpecToJson(spec))},
       {"class_names", Text(data.info.class_names)},
       {"dataset", Text({{"name", data.info.name}, {"digest", data.info.digest}})},
       // As Gather does it.
       {"input",
        Text({{"shape", {1, data.rows, data.columns}}, {"pixels", "0 to 255"}, {"divided_by", 255}})},
       {"epoch", std::to_string(epoch.epoch)},
       {"metrics", Text(Measured(epoch))}},
      CheckpointFolder::kMaxBytes);
}

}  // namespace gridsweep
