// A part of the report that is loaded when it is first looked at: named arrays of numbers, packed and compressed. The reader is
// dashboard/src/data/section.ts.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "common/base/json.h"

namespace gridsweep {

// Collects the arrays. Their elements are stored little-endian.
class Section {
 public:
  // float, int32_t, uint32_t, uint16_t or uint8_t.
  template <typename Number>
  void Add(const std::string& name, const std::vector<Number>& values) {
    AddBytes(name, TypeName<Number>(),
             std::string_view(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(Number)),
             values.size());
  }
  void SetMeta(const std::string& key, Json value) { meta_[key] = std::move(value); }

  // gzip of: uint32 length of the header; the header, JSON {"meta": {…}, "arrays": {name: {"type", "offset", "length"}}}; zeros
  // up to a multiple of 8; the arrays, each at a multiple of 8 from there.
  std::string Packed() const;

 private:
  template <typename Number>
  static const char* TypeName() {
    if constexpr (std::is_same_v<Number, float>) return "f32";
    if constexpr (std::is_same_v<Number, int32_t>) return "i32";
    if constexpr (std::is_same_v<Number, uint32_t>) return "u32";
    if constexpr (std::is_same_v<Number, uint16_t>) return "u16";
    if constexpr (std::is_same_v<Number, uint8_t>) return "u8";
  }
  void AddBytes(const std::string& name, const char* type, std::string_view bytes, size_t length);

  Json meta_ = Json::object();
  Json arrays_ = Json::object();
  std::string data_;
};

// `data` as a gzip file (RFC 1952).
std::string Gzip(std::string_view data);

}  // namespace gridsweep
