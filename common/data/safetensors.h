// The safetensors layout: named tensors in one file that nobody has to trust.
// https://github.com/huggingface/safetensors: 8 bytes N (little endian), N bytes of JSON, then the tensors' bytes.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/status.h"

namespace gridsweep {

struct TensorBytes {
  std::string dtype;           // "F32", "I64", "U8", …
  std::vector<int64_t> shape;  // empty for a single value
  std::string_view bytes;      // little endian, row-major; of the file's buffer
};

struct SafeTensors {
  std::map<std::string, std::string> metadata;
  std::map<std::string, TensorBytes> tensors;
};

// The tensors are written in the order of their names, one after the other; the first at a multiple of 8 bytes.
// REQUIRES: each one's bytes are as many as its dtype and shape say.
std::string WriteSafeTensors(const SafeTensors& content);

// Points into `file`. INVALID_ARGUMENT, saying what is wrong, for anything but a complete file in which every byte belongs to
// exactly one tensor. Allocates no more than the header's size.
absl::StatusOr<SafeTensors> ParseSafeTensors(std::string_view file);

}  // namespace gridsweep
