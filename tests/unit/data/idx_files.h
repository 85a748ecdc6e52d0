// Hand-made IDX files in a temporary folder.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "tests/support/idx_bytes.h"
#include "tests/support/temp_dir.h"

namespace gridsweep {

class TempFolder : public TempDir {
 public:
  // Writes `bytes` to NAME below the folder and returns the path.
  std::string Write(const std::string& name, const std::string& bytes) const {
    WriteFile(*this / name, bytes);
    return *this / name;
  }
};

inline std::string Idx3(uint32_t count, uint32_t rows, uint32_t columns, const std::vector<uint8_t>& pixels) {
  return IdxImageFile(count, rows, columns, std::string(pixels.begin(), pixels.end()));
}

inline std::string Idx1(const std::vector<uint8_t>& labels) {
  return IdxLabelFile(std::string(labels.begin(), labels.end()));
}

// Compresses the file in place and returns the new path.
inline std::string Gzip(const std::string& path) {
  EXPECT_EQ(std::system(("gzip -n '" + path + "'").c_str()), 0);
  return path + ".gz";
}

}  // namespace gridsweep
