#include "tests/integration/fetch/zip_writer.h"

#include <zlib.h>

#include <cstdint>
#include <stdexcept>

namespace gridsweep {
namespace {

std::string Little(uint64_t value, int bytes) {
  std::string result;
  for (int i = 0; i < bytes; ++i) result += static_cast<char>(value >> (8 * i) & 0xFF);
  return result;
}

std::string Deflate(const std::string& text) {
  z_stream stream{};
  if (deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("deflateInit2");
  }
  std::string result(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(result.data());
  stream.avail_out = static_cast<uInt>(result.size());
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) throw std::runtime_error("deflate");
  result.resize(stream.total_out);
  deflateEnd(&stream);
  return result;
}

}  // namespace

std::string MakeZip(const std::vector<std::pair<std::string, std::string>>& members) {
  std::string archive;
  std::string directory;
  for (size_t i = 0; i < members.size(); ++i) {
    const auto& [name, content] = members[i];
    const int method = i % 2 == 1 ? Z_DEFLATED : 0;
    const std::string packed = method == 0 ? content : Deflate(content);
    const auto crc =
        crc32(0, reinterpret_cast<const Bytef*>(content.data()), static_cast<uInt>(content.size()));
    // From "version needed" to "extra field length": the same in both headers.
    const std::string common = Little(20, 2) + Little(0, 2) + Little(method, 2) + Little(0, 4) +
                               Little(crc, 4) + Little(packed.size(), 4) + Little(content.size(), 4) +
                               Little(name.size(), 2) + Little(0, 2);
    directory += Little(0x02014b50, 4) + Little(20, 2) + common + Little(0, 2) + Little(0, 2) + Little(0, 2) +
                 Little(0, 4) + Little(archive.size(), 4) + name;
    archive += Little(0x04034b50, 4) + common + name + packed;
  }
  const size_t offset = archive.size();
  return archive + directory + Little(0x06054b50, 4) + Little(0, 4) + Little(members.size(), 2) +
         Little(members.size(), 2) + Little(directory.size(), 4) + Little(offset, 4) + Little(0, 2);
}

}  // namespace gridsweep
