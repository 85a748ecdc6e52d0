// The reader of checkpoints and models against any bytes: it must answer with tensors that lie within the file or with one
// short message, and what it accepts must read back.
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string_view>

#include "common/data/safetensors.h"

namespace {

void Require(bool condition, const char* what) {
  if (condition) return;
  std::cerr << "checkpoint_reader_fuzz: " << what << "\n";
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace gridsweep;
  const std::string_view file(reinterpret_cast<const char*>(data), size);
  const auto read = ParseSafeTensors(file);
  if (!read.ok()) {
    const std::string message = Message(read.status());
    Require(!message.empty() && message.size() < 500 + size, "a long message");
    return 0;
  }
  size_t bytes = 0;
  for (const auto& [name, tensor] : read->tensors) {
    Require(tensor.bytes.empty() || (tensor.bytes.data() >= file.data() &&
                                     tensor.bytes.data() + tensor.bytes.size() <= file.data() + size),
            "a tensor outside of the file");
    bytes += tensor.bytes.size();
  }
  Require(bytes <= size, "tensors that overlap");
  const std::string written = WriteSafeTensors(*read);
  const auto again = ParseSafeTensors(written);
  Require(again.ok(), "a file that does not read back");
  Require(again->metadata == read->metadata && again->tensors.size() == read->tensors.size(), "another file");
  for (const auto& [name, tensor] : read->tensors) {
    const auto other = again->tensors.find(name);
    Require(other != again->tensors.end() && other->second.dtype == tensor.dtype &&
                other->second.shape == tensor.shape && other->second.bytes == tensor.bytes,
            "another tensor");
  }
  return 0;
}
