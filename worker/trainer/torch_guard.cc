#include "worker/trainer/torch_guard.h"

#include <new>
#include <string>

#include "worker/trainer/aten.h"

namespace gridsweep {
namespace {

bool Contains(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

std::string FirstLine(std::string text) {
  const size_t end = text.find('\n');
  if (end != std::string::npos) text.resize(end);
  return text;
}

}  // namespace

absl::Status StatusFromException(const std::exception& error) {
  const auto* torch_error = dynamic_cast<const c10::Error*>(&error);
  const std::string text = FirstLine(torch_error != nullptr ? torch_error->msg() : error.what());
  const bool out_of_memory = dynamic_cast<const std::bad_alloc*>(&error) != nullptr ||
                             Contains(text, "out of memory") || Contains(text, "can't allocate memory") ||
                             Contains(text, "not enough memory");
  if (out_of_memory) {
    return ResourceExhausted("out of memory: {}; use fewer slots, a smaller batch_size or a smaller model",
                             text);
  }
  if (Contains(text, "CUDA error") || Contains(text, "cuDNN error") || Contains(text, "CUBLAS_STATUS")) {
    return Aborted("the device failed: {}", text);
  }
  return Internal("training failed: {}", text);
}

}  // namespace gridsweep
