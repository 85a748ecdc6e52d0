#include "coordinator/report/section.h"

#include <zlib.h>

#include <bit>

namespace gridsweep {
namespace {

static_assert(std::endian::native == std::endian::little, "arrays are stored as they lie in memory");

void Pad(std::string& data) {
  data.resize((data.size() + 7) / 8 * 8, '\0');
}

}  // namespace

void Section::AddBytes(const std::string& name, const char* type, std::string_view bytes, size_t length) {
  Pad(data_);
  arrays_[name] = {{"type", type}, {"offset", data_.size()}, {"length", length}};
  data_ += bytes;
}

std::string Section::Packed() const {
  const std::string header =
      Json{{"meta", meta_}, {"arrays", arrays_}}.dump(-1, ' ', false, Json::error_handler_t::replace);
  std::string whole;
  for (int shift = 0; shift < 32; shift += 8) whole += static_cast<char>(header.size() >> shift & 0xFF);
  whole += header;
  Pad(whole);
  return Gzip(whole + data_);
}

std::string Gzip(std::string_view data) {
  z_stream stream{};
  constexpr int kGzipWindow = 15 + 16;
  // Floats hardly shrink further with more effort.
  deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY);
  std::string packed(deflateBound(&stream, data.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
  stream.avail_in = static_cast<uInt>(data.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

}  // namespace gridsweep
