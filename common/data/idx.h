// The IDX format of the MNIST family (LeCun, Cortes, Burges: "THE MNIST DATABASE", file formats section), plain or gzip.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/status.h"

namespace gridsweep {

// Images as stored: count × rows × columns bytes, row-major.
struct IdxImages {
  int64_t count = 0;
  int64_t rows = 0;
  int64_t columns = 0;
  std::vector<uint8_t> pixels;
};

// Reads an idx3-ubyte file. Returns NOT_FOUND, or DATA_LOSS naming the file and what is wrong: magic, sizes that do not
// fit the content, truncated or corrupt gzip, trailing bytes, more than 2 GiB.
absl::StatusOr<IdxImages> ReadIdxImages(const std::string& path);
// The same without pixels: reads the header and checks the size of the file against it. A wrong byte inside a gzip
// stream stays unnoticed.
absl::StatusOr<IdxImages> ReadIdxImagesHeader(const std::string& path);
// Reads an idx1-ubyte file: one label a byte. Errors as above.
absl::StatusOr<std::vector<uint8_t>> ReadIdxLabels(const std::string& path);

}  // namespace gridsweep
