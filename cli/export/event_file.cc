#include "cli/export/event_file.h"

#include <boost/crc.hpp>

#include "tensorboard/event.pb.h"

namespace gridsweep {
namespace {

constexpr uint32_t kMask = 0xa282ead8;

template <typename Number>
void AppendLittleEndian(Number number, std::string& out) {
  for (size_t i = 0; i < sizeof(Number); ++i) out += static_cast<char>(number >> (8 * i) & 0xFF);
}

}  // namespace

uint32_t MaskedCrc32c(std::string_view data) {
  boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> crc;
  crc.process_bytes(data.data(), data.size());
  const uint32_t sum = crc.checksum();
  return ((sum >> 15) | (sum << 17)) + kMask;
}

EventFile::EventFile(std::string path, double seconds)
    : path_(std::move(path)), file_(path_, std::ios::binary) {
  tensorboard::Event version;
  version.set_wall_time(seconds);
  version.set_file_version("brain.Event:2");
  Write(version);
}

EventFile::~EventFile() = default;

void EventFile::Write(const tensorboard::Event& event) {
  const std::string data = event.SerializeAsString();
  std::string length;
  AppendLittleEndian(static_cast<uint64_t>(data.size()), length);
  buffer_ += length;
  AppendLittleEndian(MaskedCrc32c(length), buffer_);
  buffer_ += data;
  AppendLittleEndian(MaskedCrc32c(data), buffer_);
}

absl::Status EventFile::Close() {
  file_.write(buffer_.data(), static_cast<std::streamsize>(buffer_.size()));
  file_.close();
  if (!file_) return FailedPrecondition("cannot write '{}': is the disk full?", path_);
  return absl::OkStatus();
}

}  // namespace gridsweep
