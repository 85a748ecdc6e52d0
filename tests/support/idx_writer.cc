#include "tests/support/idx_writer.h"

#include <cstdint>

#include "tests/support/idx_bytes.h"
#include "tests/support/temp_dir.h"

namespace gridsweep {
namespace {

constexpr int kSide = 28;
constexpr int kClasses = 4;

void WriteSplit(const std::string& prefix, uint32_t count) {
  std::string pixels, labels;
  uint32_t noise = 12345;
  for (uint32_t i = 0; i < count; ++i) {
    const int label = static_cast<int>(i % kClasses);
    labels += static_cast<char>(label);
    for (int row = 0; row < kSide; ++row) {
      for (int column = 0; column < kSide; ++column) {
        noise = noise * 1664525 + 1013904223;
        const int quarter = (row >= kSide / 2) * 2 + (column >= kSide / 2);
        pixels += static_cast<char>((quarter == label ? 150 : 0) + (noise >> 26));
      }
    }
  }
  WriteFile(prefix + "-images-idx3-ubyte", IdxImageFile(count, kSide, kSide, pixels));
  WriteFile(prefix + "-labels-idx1-ubyte", IdxLabelFile(labels));
}

}  // namespace

void WriteTinyDataset(const std::string& dir, const std::string& name) {
  WriteSplit(dir + "/" + name + "-train", 200);
  WriteSplit(dir + "/" + name + "-test", 40);
}

}  // namespace gridsweep
