#include "cli/fetch/zip_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace gridsweep {
namespace {

constexpr uint32_t kEndSignature = 0x06054b50;
constexpr uint32_t kEntrySignature = 0x02014b50;
constexpr uint32_t kLocalSignature = 0x04034b50;
constexpr int64_t kEndSize = 22;
constexpr int64_t kEntrySize = 46;
constexpr int64_t kLocalSize = 30;
constexpr int64_t kMaxComment = 65535;
constexpr int64_t kMaxDirectory = 16 << 20;
constexpr int64_t kMaxMember = int64_t{2} << 30;
constexpr size_t kChunk = 256 << 10;
constexpr uint16_t kEncrypted = 1;

uint16_t U16(const std::string& bytes, size_t at) {
  return static_cast<uint16_t>(static_cast<unsigned char>(bytes[at]) |
                               static_cast<unsigned char>(bytes[at + 1]) << 8);
}
uint32_t U32(const std::string& bytes, size_t at) {
  return static_cast<uint32_t>(U16(bytes, at)) | static_cast<uint32_t>(U16(bytes, at + 2)) << 16;
}

// Counts and checks what comes out of a member.
class Checked {
 public:
  Checked(const ZipMember& member, const std::function<absl::Status(std::string_view)>& sink)
      : member_(member), sink_(sink) {}

  // False as an answer: more than the directory announced.
  absl::StatusOr<bool> Put(std::string_view piece) {
    written_ += static_cast<int64_t>(piece.size());
    if (written_ > member_.size) return false;
    crc_ = crc32(crc_, reinterpret_cast<const Bytef*>(piece.data()), static_cast<uInt>(piece.size()));
    GS_RETURN_IF_ERROR(sink_(piece));
    return true;
  }
  bool Complete() const { return written_ == member_.size && crc_ == member_.crc32; }

 private:
  const ZipMember& member_;
  const std::function<absl::Status(std::string_view)>& sink_;
  int64_t written_ = 0;
  uLong crc_ = crc32(0, nullptr, 0);
};

class Inflater {
 public:
  Inflater() { ok_ = inflateInit2(&stream_, -MAX_WBITS) == Z_OK; }  // negative: no zlib header, as ZIP has it
  ~Inflater() { inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // Feeds compressed bytes; false if they are damaged.
  absl::StatusOr<bool> Feed(std::string& input, Checked& out) {
    if (!ok_) return ResourceExhausted("not enough memory to decompress");
    stream_.next_in = reinterpret_cast<Bytef*>(input.data());
    stream_.avail_in = static_cast<uInt>(input.size());
    std::string piece(kChunk, '\0');
    do {
      if (finished_) return false;  // bytes behind the end
      stream_.next_out = reinterpret_cast<Bytef*>(piece.data());
      stream_.avail_out = static_cast<uInt>(piece.size());
      const int result = inflate(&stream_, Z_NO_FLUSH);
      if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) return false;
      finished_ = result == Z_STREAM_END;
      const size_t produced = piece.size() - stream_.avail_out;
      GS_ASSIGN_OR_RETURN(const bool fits, out.Put(std::string_view(piece).substr(0, produced)));
      if (!fits) return false;
    } while (stream_.avail_in > 0 || (!finished_ && stream_.avail_out == 0));
    return true;
  }
  bool finished() const { return finished_; }

 private:
  z_stream stream_{};
  bool ok_ = false;
  bool finished_ = false;
};

}  // namespace

ZipReader::ZipReader(ZipReader&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      file_size_(other.file_size_),
      path_(std::move(other.path_)),
      members_(std::move(other.members_)) {}

ZipReader::~ZipReader() {
  if (fd_ >= 0) close(fd_);
}

absl::Status ZipReader::Damaged(std::string_view what) const {
  return DataLoss("'{}' is not a ZIP archive that can be read: {}", path_, what);
}

absl::Status ZipReader::ReadAt(int64_t offset, size_t size, std::string& out) const {
  if (offset < 0 || offset > file_size_ || static_cast<int64_t>(size) > file_size_ - offset) {
    return Damaged("it is cut short");
  }
  out.resize(size);
  size_t done = 0;
  while (done < size) {
    const ssize_t got = pread(fd_, out.data() + done, size - done, offset + static_cast<int64_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoError(errno, fmt::format("cannot read '{}'", path_));
    if (got == 0) return Damaged("it is cut short");
    done += static_cast<size_t>(got);
  }
  return absl::OkStatus();
}

absl::StatusOr<ZipReader> ZipReader::Open(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return ErrnoError(errno, fmt::format("cannot open '{}'", path));
  struct stat info {};
  const int rc = fstat(fd, &info);
  ZipReader reader(fd, rc == 0 ? info.st_size : 0, path);
  GS_RETURN_IF_ERROR(reader.ReadDirectory());
  return reader;
}

absl::Status ZipReader::ReadDirectory() {
  const int64_t tail_size = std::min(file_size_, kEndSize + kMaxComment);
  std::string tail;
  GS_RETURN_IF_ERROR(ReadAt(file_size_ - tail_size, static_cast<size_t>(tail_size), tail));
  int64_t end = tail_size - kEndSize;
  while (end >= 0 && U32(tail, static_cast<size_t>(end)) != kEndSignature) --end;
  if (end < 0) return Damaged("it has no directory");
  const auto at = static_cast<size_t>(end);
  const int count = U16(tail, at + 10);
  const int64_t directory_size = U32(tail, at + 12);
  const int64_t directory_offset = U32(tail, at + 16);
  if (directory_size > kMaxDirectory) return Damaged("its directory is too large");
  std::string directory;
  GS_RETURN_IF_ERROR(ReadAt(directory_offset, static_cast<size_t>(directory_size), directory));
  size_t position = 0;
  for (int i = 0; i < count; ++i) {
    if (position + kEntrySize > directory.size() || U32(directory, position) != kEntrySignature) {
      return Damaged("its directory is damaged");
    }
    const size_t name_size = U16(directory, position + 28);
    const size_t extra_size =
        U16(directory, position + 30) + static_cast<size_t>(U16(directory, position + 32));
    if (position + kEntrySize + name_size + extra_size > directory.size())
      return Damaged("its directory is damaged");
    ZipMember member;
    member.method = (U16(directory, position + 8) & kEncrypted) != 0 ? -1 : U16(directory, position + 10);
    member.crc32 = U32(directory, position + 16);
    member.compressed_size = U32(directory, position + 20);
    member.size = U32(directory, position + 24);
    member.offset = U32(directory, position + 42);
    member.name = directory.substr(position + kEntrySize, name_size);
    members_.push_back(std::move(member));
    position += kEntrySize + name_size + extra_size;
  }
  return absl::OkStatus();
}

const ZipMember* ZipReader::FindByBaseName(std::string_view base_name) const {
  for (const ZipMember& member : members_) {
    const size_t slash = member.name.rfind('/');
    const std::string_view base =
        std::string_view(member.name).substr(slash == std::string::npos ? 0 : slash + 1);
    if (base == base_name) return &member;
  }
  return nullptr;
}

absl::Status ZipReader::Read(const ZipMember& member,
                             const std::function<absl::Status(std::string_view)>& sink) const {
  if (member.method != 0 && member.method != Z_DEFLATED) {
    return Damaged(fmt::format("'{}' is encrypted or compressed in an unknown way", member.name));
  }
  if (member.size > kMaxMember) return Damaged(fmt::format("'{}' is larger than 2 GiB", member.name));
  const absl::Status damaged = Damaged(fmt::format("'{}' is damaged", member.name));
  std::string local;
  GS_RETURN_IF_ERROR(ReadAt(member.offset, kLocalSize, local));
  if (U32(local, 0) != kLocalSignature) return damaged;
  // The local header's name and extra field may be longer than the directory's.
  int64_t offset = member.offset + kLocalSize + U16(local, 26) + U16(local, 28);
  int64_t left = member.compressed_size;
  Checked out(member, sink);
  Inflater inflater;
  std::string chunk;
  while (left > 0) {
    const size_t size = static_cast<size_t>(std::min<int64_t>(left, kChunk));
    GS_RETURN_IF_ERROR(ReadAt(offset, size, chunk));
    GS_ASSIGN_OR_RETURN(const bool good, member.method == 0 ? out.Put(chunk) : inflater.Feed(chunk, out));
    if (!good) return damaged;
    offset += static_cast<int64_t>(size);
    left -= static_cast<int64_t>(size);
  }
  if (member.method != 0 && !inflater.finished()) return damaged;
  return out.Complete() ? absl::OkStatus() : damaged;
}

}  // namespace gridsweep
