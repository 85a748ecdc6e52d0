// Hand-made IDX files in a temporary folder.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <string>
#include <vector>

namespace gridsweep {

// A fresh folder that is gone when the test is.
class TempFolder {
 public:
  TempFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "gridsweep-data-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~TempFolder() { std::filesystem::remove_all(path_); }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const std::string& path() const { return path_; }

  // Writes `bytes` to NAME below the folder and returns the path.
  std::string Write(const std::string& name, const std::string& bytes) const {
    const std::string path = path_ + "/" + name;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }

 private:
  std::string path_;
};

inline std::string BigEndian(uint32_t word) {
  return {static_cast<char>(word >> 24), static_cast<char>(word >> 16), static_cast<char>(word >> 8),
          static_cast<char>(word)};
}

inline std::string Idx3(uint32_t count, uint32_t rows, uint32_t columns, const std::vector<uint8_t>& pixels) {
  return BigEndian(0x803) + BigEndian(count) + BigEndian(rows) + BigEndian(columns) +
         std::string(pixels.begin(), pixels.end());
}

inline std::string Idx1(const std::vector<uint8_t>& labels) {
  return BigEndian(0x801) + BigEndian(static_cast<uint32_t>(labels.size())) +
         std::string(labels.begin(), labels.end());
}

// Compresses the file in place and returns the new path.
inline std::string Gzip(const std::string& path) {
  EXPECT_EQ(std::system(("gzip -n '" + path + "'").c_str()), 0);
  return path + ".gz";
}

inline std::string ReadBytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace gridsweep
