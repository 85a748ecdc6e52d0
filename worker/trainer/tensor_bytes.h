// Tensors to and from safetensors. No pickle: bytes, a type and a shape.
#pragma once

#include "common/data/safetensors.h"
#include "worker/trainer/aten.h"

namespace gridsweep {

// Tensors on their way into a file: it holds what the file's views point into.
class TensorFile {
 public:
  // The tensor in PyTorch's plain layout, whatever its memory looks like. REQUIRES: float, int64 or bytes; `name` is new.
  void Add(const std::string& name, const at::Tensor& tensor);
  // The file's bytes. RESOURCE_EXHAUSTED, without having made them, if the tensors have more than `most` bytes.
  absl::StatusOr<std::string> Write(std::map<std::string, std::string> metadata, int64_t most);

 private:
  std::vector<at::Tensor> held_;
  std::map<std::string, TensorBytes> tensors_;
};

// A copy on the CPU. INVALID_ARGUMENT if it is of another type than `type`. May throw what LibTorch throws.
absl::StatusOr<at::Tensor> TensorOf(const TensorBytes& tensor, at::ScalarType type);

}  // namespace gridsweep
