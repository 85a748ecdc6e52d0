#include "coordinator/report/section.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <cstring>

namespace gridsweep {
namespace {

std::string Gunzip(const std::string& packed) {
  z_stream stream{};
  inflateInit2(&stream, 15 + 16);
  std::string data(1 << 20, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(data.data());
  stream.avail_out = static_cast<uInt>(data.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  data.resize(stream.total_out);
  inflateEnd(&stream);
  return data;
}

// Reads it as the page does.
TEST(Section, HoldsNamedArraysBehindTheirDescription) {
  Section section;
  section.SetMeta("by", "id");
  section.Add("bytes", std::vector<uint8_t>{7, 8, 9});
  section.Add("numbers", std::vector<float>{0.5f, -2.0f});
  section.Add("empty", std::vector<int32_t>{});
  const std::string data = Gunzip(section.Packed());
  uint32_t length = 0;
  std::memcpy(&length, data.data(), sizeof length);
  const Json header = Json::parse(data.substr(4, length));
  EXPECT_EQ(header["meta"]["by"], "id");
  const size_t area = (4 + length + 7) / 8 * 8;
  const Json& numbers = header["arrays"]["numbers"];
  EXPECT_EQ(numbers["type"], "f32");
  EXPECT_EQ(numbers["length"], 2);
  EXPECT_EQ(numbers["offset"].get<size_t>() % 8, 0u);
  float second = 0;
  std::memcpy(&second, data.data() + area + numbers["offset"].get<size_t>() + sizeof(float), sizeof second);
  EXPECT_EQ(second, -2.0f);
  EXPECT_EQ(header["arrays"]["empty"]["length"], 0);
  EXPECT_EQ(data[area + header["arrays"]["bytes"]["offset"].get<size_t>() + 2], 9);
}

}  // namespace
}  // namespace gridsweep
