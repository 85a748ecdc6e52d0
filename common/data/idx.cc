#include "common/data/idx.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <memory>

#include "common/base/status.h"

namespace gridsweep {
namespace {

constexpr uint32_t kImagesMagic = 0x00000803;  // unsigned bytes, 3 dimensions
constexpr uint32_t kLabelsMagic = 0x00000801;  // unsigned bytes, 1 dimension
constexpr int64_t kMaxBytes = int64_t{1} << 31;
constexpr int64_t kChunk = int64_t{1} << 20;

struct GzClose {
  void operator()(gzFile_s* file) const { gzclose_r(file); }
};
using GzFile = std::unique_ptr<gzFile_s, GzClose>;

absl::StatusOr<GzFile> Open(const std::string& path) {
  errno = 0;
  GzFile file(gzopen(path.c_str(), "rbe"));  // reads plain files as well
  if (!file) return ErrnoError(errno != 0 ? errno : ENOMEM, fmt::format("cannot open '{}'", path));
  gzbuffer(file.get(), kChunk / 4);
  return file;
}

// Reads up to `size` bytes; fewer only at the end of the content.
absl::StatusOr<int64_t> ReadUpTo(gzFile file, const std::string& path, uint8_t* out, int64_t size) {
  int64_t done = 0;
  while (done < size) {
    const int got = gzread(file, out + done, static_cast<unsigned>(std::min(size - done, kChunk)));
    if (got > 0) {
      done += got;
      continue;
    }
    int code = Z_OK;
    const char* text = gzerror(file, &code);
    if (code == Z_ERRNO) return ErrnoError(errno, fmt::format("cannot read '{}'", path));
    if (code == Z_BUF_ERROR) return DataLoss("'{}' is truncated: the gzip stream ends too early", path);
    if (code != Z_OK) return DataLoss("'{}' is corrupt: {}", path, text);
    break;
  }
  return done;
}

struct Header {
  std::vector<int64_t> dimensions;
  int64_t size = 0;     // of the header
  int64_t content = 0;  // bytes that follow
};

struct Idx {
  std::vector<int64_t> dimensions;
  std::vector<uint8_t> bytes;
};

// Grows with what is really there, so that a wrong header cannot make us allocate what the file does not
// hold.
absl::Status ReadContent(gzFile file, const std::string& path, int64_t expected,
                         std::vector<uint8_t>& bytes) {
  while (static_cast<int64_t>(bytes.size()) < expected) {
    const auto have = static_cast<int64_t>(bytes.size());
    const int64_t want = std::min(expected - have, std::max(have, 16 * kChunk));
    bytes.resize(have + want);
    GS_ASSIGN_OR_RETURN(const int64_t got, ReadUpTo(file, path, bytes.data() + have, want));
    if (got < want) {
      return DataLoss("'{}' is truncated: its header promises {} bytes of content, it holds {}", path,
                      expected, have + got);
    }
  }
  uint8_t extra = 0;
  GS_ASSIGN_OR_RETURN(const int64_t got, ReadUpTo(file, path, &extra, 1));
  if (got > 0) return DataLoss("'{}' holds more than the {} bytes its header promises", path, expected);
  return absl::OkStatus();
}

absl::StatusOr<Header> ReadHeader(gzFile file, const std::string& path, uint32_t magic, size_t rank) {
  std::array<uint8_t, 16> header{};
  const auto header_size = static_cast<int64_t>(4 + 4 * rank);
  GS_ASSIGN_OR_RETURN(const int64_t got, ReadUpTo(file, path, header.data(), header_size));
  if (got < header_size)
    return DataLoss("'{}' is truncated: {} bytes, shorter than an IDX header", path, got);
  const auto word = [&](size_t i) {
    return uint32_t{header[4 * i]} << 24 | uint32_t{header[4 * i + 1]} << 16 |
           uint32_t{header[4 * i + 2]} << 8 | uint32_t{header[4 * i + 3]};
  };
  if (word(0) != magic) {
    return DataLoss("'{}' is not an idx{}-ubyte file: magic 0x{:08x}, expected 0x{:08x}", path, rank, word(0),
                    magic);
  }
  Header result{.size = header_size, .content = 1};
  for (size_t i = 1; i <= rank; ++i) {
    result.dimensions.push_back(word(i));
    // Each factor is below 2^32 and the product so far at most 2^31, so this cannot overflow.
    result.content *= result.dimensions.back();
    if (result.content > kMaxBytes) return DataLoss("'{}' promises more than 2 GiB of content", path);
  }
  return result;
}

absl::StatusOr<Idx> ReadIdx(const std::string& path, uint32_t magic, size_t rank) {
  GS_ASSIGN_OR_RETURN(const GzFile file, Open(path));
  GS_ASSIGN_OR_RETURN(Header header, ReadHeader(file.get(), path, magic, rank));
  Idx idx{.dimensions = std::move(header.dimensions)};
  GS_RETURN_IF_ERROR(ReadContent(file.get(), path, header.content, idx.bytes));
  return idx;
}

// Whether the file seems to hold as much as its header promises: by its size, or by the size that gzip files end with.
// False says nothing yet: a gzip file of several members ends with the size of the last.
bool SizeFits(gzFile gz, const std::string& path, int64_t expected) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (gzdirect(gz) != 0) return file && file.tellg() == expected;
  std::array<char, 4> last{};
  file.seekg(-4, std::ios::end);
  file.read(last.data(), last.size());
  uint32_t size = 0;
  for (size_t i = 0; i < last.size(); ++i) size |= uint32_t{static_cast<uint8_t>(last[i])} << (8 * i);
  return file && size == static_cast<uint32_t>(expected);
}

}  // namespace

absl::StatusOr<IdxImages> ReadIdxImages(const std::string& path) {
  GS_ASSIGN_OR_RETURN(Idx idx, ReadIdx(path, kImagesMagic, 3));
  return IdxImages{idx.dimensions[0], idx.dimensions[1], idx.dimensions[2], std::move(idx.bytes)};
}

absl::StatusOr<IdxImages> ReadIdxImagesHeader(const std::string& path) {
  GS_ASSIGN_OR_RETURN(const GzFile file, Open(path));
  GS_ASSIGN_OR_RETURN(const Header header, ReadHeader(file.get(), path, kImagesMagic, 3));
  if (!SizeFits(file.get(), path, header.size + header.content)) {
    // Says what is wrong, if something is.
    std::vector<uint8_t> content;
    GS_RETURN_IF_ERROR(ReadContent(file.get(), path, header.content, content));
  }
  return IdxImages{header.dimensions[0], header.dimensions[1], header.dimensions[2], {}};
}

absl::StatusOr<std::vector<uint8_t>> ReadIdxLabels(const std::string& path) {
  GS_ASSIGN_OR_RETURN(Idx idx, ReadIdx(path, kLabelsMagic, 1));
  return std::move(idx.bytes);
}

}  // namespace gridsweep
