// The IDX format, in which data sets come.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace gridsweep {

inline std::string BigEndian(std::initializer_list<uint32_t> words) {
  std::string bytes;
  for (const uint32_t word : words) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(word >> shift);
  }
  return bytes;
}

// A file of images, `pixels` one after the other; nothing checks that they are as many as the header says.
inline std::string IdxImageFile(uint32_t count, uint32_t rows, uint32_t columns, std::string_view pixels) {
  return BigEndian({0x803, count, rows, columns}).append(pixels);
}

// A file of labels, a byte each.
inline std::string IdxLabelFile(std::string_view labels) {
  return BigEndian({0x801, static_cast<uint32_t>(labels.size())}).append(labels);
}

}  // namespace gridsweep
