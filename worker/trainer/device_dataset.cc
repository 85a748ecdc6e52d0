#include "worker/trainer/device_dataset.h"

namespace gridsweep {
namespace {

// Frees `bytes` on the way, so that at most one copy more than needed is in memory.
at::Tensor TakeBytes(std::vector<uint8_t>& bytes, at::IntArrayRef shape, at::Device device) {
  const at::Tensor borrowed = at::from_blob(bytes.data(), shape, at::TensorOptions().dtype(at::kByte));
  at::Tensor tensor = device.is_cpu() ? borrowed.clone() : borrowed.to(device);
  std::vector<uint8_t>().swap(bytes);
  return tensor;
}

ImageSet TakeSet(std::vector<uint8_t>& pixels, std::vector<uint8_t>& labels, int64_t rows, int64_t columns,
                 at::Device device) {
  const auto n = static_cast<int64_t>(labels.size());
  return {TakeBytes(pixels, {n, 1, rows, columns}, device), TakeBytes(labels, {n}, device).to(at::kLong)};
}

}  // namespace

Batch Gather(const ImageSet& set, const at::Tensor& indices) {
  return {set.pixels.index_select(0, indices).to(at::kFloat).div_(255), set.labels.index_select(0, indices)};
}

std::shared_ptr<const DeviceDataset> ToDevice(Dataset data, at::Device device) {
  auto out = std::make_shared<DeviceDataset>();
  out->info = {data.name, data.digest, data.class_names, static_cast<int64_t>(data.train_labels.size()),
               static_cast<int64_t>(data.test_labels.size())};
  out->rows = data.rows;
  out->columns = data.columns;
  out->train_labels = data.train_labels;
  out->train = TakeSet(data.train_pixels, data.train_labels, data.rows, data.columns, device);
  out->test = TakeSet(data.test_pixels, data.test_labels, data.rows, data.columns, device);
  return out;
}

absl::StatusOr<std::shared_ptr<const DeviceDataset>> DatasetCache::Get(const std::string& name,
                                                                       const std::string& digest) {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::erase_if(known_, [](const auto& weak) { return weak.expired(); });
  for (const auto& weak : known_) {
    const auto dataset = weak.lock();
    if (!dataset || dataset->info.name != name) continue;
    // Another digest: the files may have been replaced since they were read. Read them again.
    if (!digest.empty() && dataset->info.digest != digest) continue;
    latest_ = dataset;
    return dataset;
  }
  GS_ASSIGN_OR_RETURN(const DatasetFiles files, FindDataset(name, directories_));
  GS_ASSIGN_OR_RETURN(Dataset data, LoadDataset(files));
  if (!digest.empty() && data.digest != digest) {
    return FailedPrecondition(
        "data set '{}' in '{}' is not the one this sweep began with: its digest is {}, expected {}; use the "
        "same files "
        "on every machine, or submit the sweep again",
        name, files.directory, data.digest.substr(0, 12), digest.substr(0, 12));
  }
  std::erase_if(known_, [&](const auto& weak) {
    const auto dataset = weak.lock();
    return !dataset || dataset->info.name == name;
  });
  latest_ = ToDevice(std::move(data), device_);
  known_.push_back(latest_);
  return latest_;
}

}  // namespace gridsweep
