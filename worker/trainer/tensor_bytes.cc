#include "worker/trainer/tensor_bytes.h"

#include <cstring>
#include <utility>

namespace gridsweep {
namespace {

const char* TypeName(at::ScalarType type) {
  return type == at::kFloat ? "F32" : type == at::kLong ? "I64" : "U8";
}

}  // namespace

void TensorFile::Add(const std::string& name, const at::Tensor& tensor) {
  const at::Tensor& held = held_.emplace_back(tensor.detach().cpu().contiguous());
  tensors_[name] = {TypeName(held.scalar_type()), held.sizes().vec(),
                    std::string_view(static_cast<const char*>(held.data_ptr()), held.nbytes())};
}

absl::StatusOr<std::string> TensorFile::Write(std::map<std::string, std::string> metadata, int64_t most) {
  int64_t bytes = 0;
  for (const auto& [name, tensor] : tensors_) bytes += static_cast<int64_t>(tensor.bytes.size());
  if (bytes > most) return ResourceExhausted("{} bytes are more than the {} that are kept", bytes, most);
  return WriteSafeTensors({std::move(metadata), std::move(tensors_)});
}

absl::StatusOr<at::Tensor> TensorOf(const TensorBytes& tensor, at::ScalarType type) {
  if (tensor.dtype != TypeName(type))
    return InvalidArgument("it is {}, not {}", tensor.dtype, TypeName(type));
  at::Tensor out = at::empty(tensor.shape, type);
  if (!tensor.bytes.empty()) std::memcpy(out.data_ptr(), tensor.bytes.data(), tensor.bytes.size());
  return out;
}

}  // namespace gridsweep
