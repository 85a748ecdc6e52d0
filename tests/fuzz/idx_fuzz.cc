// The IDX reader against any bytes: it must answer with what the header promises or say what is wrong, and the quick look at
// the header must not refuse what can be read. The first byte chooses images or labels.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>

#include "common/data/idx.h"

namespace {

void Require(bool condition, const char* what) {
  if (condition) return;
  std::cerr << "idx_fuzz: " << what << "\n";
  std::abort();
}

// A file without a disk.
class MemoryFile {
 public:
  MemoryFile(const uint8_t* data, size_t size) : fd_(memfd_create("idx", MFD_CLOEXEC)) {
    Require(fd_ >= 0 && write(fd_, data, size) == static_cast<ssize_t>(size), "no memory for the file");
  }
  ~MemoryFile() { close(fd_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  const int fd_;
};

void CheckMessage(const absl::Status& status) {
  const std::string message = gridsweep::Message(status);
  Require(!message.empty() && message.size() < 1'000, "a message of no length, or of too much");
  Require(message.find("/proc/self/fd/") != std::string::npos, "a message that does not name the file");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace gridsweep;
  // gzip can make a thousand times as much of it, and the time should go into reading.
  if (size == 0 || size > (64 << 10)) return 0;
  const MemoryFile file(data + 1, size - 1);
  if (data[0] % 2 == 1) {
    const auto labels = ReadIdxLabels(file.path());
    if (!labels.ok()) CheckMessage(labels.status());
    return 0;
  }
  const auto images = ReadIdxImages(file.path());
  const auto header = ReadIdxImagesHeader(file.path());
  if (!header.ok()) CheckMessage(header.status());
  if (!images.ok()) {
    CheckMessage(images.status());
    return 0;
  }
  Require(images->pixels.size() == static_cast<size_t>(images->count * images->rows * images->columns),
          "pixels that do not fit the header");
  Require(header.ok() && header->count == images->count && header->rows == images->rows &&
              header->columns == images->columns,
          "a header that reads otherwise alone");
  return 0;
}
