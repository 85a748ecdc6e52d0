// Reading members of a ZIP archive (PKWARE APPNOTE 6.3.10) that are stored or deflated; no ZIP64, no encryption. Small and
// strict, because it reads what came from the network: every offset and size is checked, every member's CRC as well, and
// no path from inside the archive ever names a file of ours.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/status.h"

namespace gridsweep {

struct ZipMember {
  std::string name;    // as in the archive: "gzip/emnist-balanced-mapping.txt"
  int64_t offset = 0;  // of its local header
  int64_t compressed_size = 0;
  int64_t size = 0;
  uint32_t crc32 = 0;
  int method = 0;  // 0 stored, 8 deflated
};

class ZipReader {
 public:
  // Opens `path` and reads its directory. Returns NOT_FOUND, or DATA_LOSS if it is not a ZIP archive we can read.
  static absl::StatusOr<ZipReader> Open(const std::string& path);
  ~ZipReader();
  ZipReader(ZipReader&& other) noexcept;
  ZipReader& operator=(ZipReader&&) = delete;

  const std::vector<ZipMember>& members() const { return members_; }
  // The member whose name without its folders is `base_name`; nullptr if there is none.
  const ZipMember* FindByBaseName(std::string_view base_name) const;

  // Hands the member's content to `sink` piece by piece. Returns DATA_LOSS if size or checksum do not fit, or the sink's
  // error.
  absl::Status Read(const ZipMember& member, const std::function<absl::Status(std::string_view)>& sink) const;

 private:
  ZipReader(int fd, int64_t file_size, std::string path)
      : fd_(fd), file_size_(file_size), path_(std::move(path)) {}
  absl::Status ReadDirectory();
  absl::Status ReadAt(int64_t offset, size_t size, std::string& out) const;
  absl::Status Damaged(std::string_view what) const;

  int fd_;
  int64_t file_size_;
  std::string path_;
  std::vector<ZipMember> members_;
};

}  // namespace gridsweep
