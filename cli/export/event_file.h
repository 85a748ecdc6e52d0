// A file of TensorBoard: a sequence of records, each an Event with its length and two check sums (TensorFlow's TFRecord).
#pragma once

#include <cstdint>
#include <fstream>
#include <string>
#include <string_view>

#include "common/base/status.h"

namespace gridsweep {

namespace tensorboard {
class Event;
}

// CRC-32C (Castagnoli; RFC 3720, B.4), rotated right by 15 bits and shifted by 0xa282ead8, as TFRecord stores it.
uint32_t MaskedCrc32c(std::string_view data);

class EventFile {
 public:
  // Begins with the version record at `seconds` since 1970.
  EventFile(std::string path, double seconds);
  ~EventFile();

  void Write(const tensorboard::Event& event);
  // An error of this or any earlier write.
  absl::Status Close();

 private:
  std::string path_;
  std::string buffer_;
  std::ofstream file_;
};

}  // namespace gridsweep
