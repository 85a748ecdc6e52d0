#include "tests/support/idx_writer.h"

#include <cstdint>
#include <initializer_list>

#include "tests/support/temp_dir.h"

namespace gridsweep {
namespace {

constexpr int kSide = 28;
constexpr int kClasses = 4;

std::string BigEndianWords(std::initializer_list<uint32_t> words) {
  std::string bytes;
  for (const uint32_t word : words) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(word >> shift);
  }
  return bytes;
}

void WriteSplit(const std::string& prefix, uint32_t count) {
  std::string images = BigEndianWords({0x803, count, kSide, kSide});
  std::string labels = BigEndianWords({0x801, count});
  uint32_t noise = 12345;
  for (uint32_t i = 0; i < count; ++i) {
    const int label = static_cast<int>(i % kClasses);
    labels += static_cast<char>(label);
    for (int row = 0; row < kSide; ++row) {
      for (int column = 0; column < kSide; ++column) {
        noise = noise * 1664525 + 1013904223;
        const int quarter = (row >= kSide / 2) * 2 + (column >= kSide / 2);
        images += static_cast<char>((quarter == label ? 150 : 0) + (noise >> 26));
      }
    }
  }
  WriteFile(prefix + "-images-idx3-ubyte", images);
  WriteFile(prefix + "-labels-idx1-ubyte", labels);
}

}  // namespace

void WriteTinyDataset(const std::string& dir, const std::string& name) {
  WriteSplit(dir + "/" + name + "-train", 200);
  WriteSplit(dir + "/" + name + "-test", 40);
}

}  // namespace gridsweep
