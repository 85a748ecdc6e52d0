#include "common/data/safetensors.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "common/base/json.h"

namespace gridsweep {
namespace {

constexpr size_t kLengthBytes = 8;
// Enough for the metrics of 10,000 epochs. Parsed JSON takes many times the memory of its text.
constexpr uint64_t kMaxHeader = 16 << 20;
constexpr size_t kMaxDimensions = 16;

std::optional<uint64_t> ElementBytes(std::string_view dtype) {
  constexpr std::pair<std::string_view, uint64_t> kTypes[] = {
      {"BOOL", 1}, {"U8", 1},  {"I8", 1},  {"U16", 2}, {"I16", 2}, {"F16", 2}, {"BF16", 2},
      {"U32", 4},  {"I32", 4}, {"F32", 4}, {"U64", 8}, {"I64", 8}, {"F64", 8}};
  for (const auto& [name, bytes] : kTypes) {
    if (name == dtype) return bytes;
  }
  return std::nullopt;
}

// Bytes of a tensor; nullopt for a bad shape or one whose size overflows.
std::optional<uint64_t> SizeOf(const TensorBytes& tensor) {
  std::optional<uint64_t> size = ElementBytes(tensor.dtype);
  for (const int64_t length : tensor.shape) {
    uint64_t product = 0;
    if (!size || length < 0 || __builtin_mul_overflow(*size, static_cast<uint64_t>(length), &product))
      return std::nullopt;
    size = product;
  }
  return size;
}

absl::Status BadTensor(const std::string& name, std::string_view why) {
  return InvalidArgument("tensor '{}': {}", name, why);
}

// A tensor and where its bytes are.
struct Entry {
  TensorBytes tensor;
  uint64_t begin = 0, end = 0;
};

absl::StatusOr<Entry> ParseEntry(const std::string& name, const Json& json) {
  Entry entry;
  if (!json.is_object() || !json.contains("dtype") || !json["dtype"].is_string() || !json.contains("shape") ||
      !json["shape"].is_array() || !json.contains("data_offsets") || !json["data_offsets"].is_array() ||
      json["data_offsets"].size() != 2) {
    return BadTensor(name, "expected dtype, shape and two data_offsets");
  }
  entry.tensor.dtype = json["dtype"].get<std::string>();
  if (!ElementBytes(entry.tensor.dtype)) return BadTensor(name, "unknown dtype");
  if (json["shape"].size() > kMaxDimensions) return BadTensor(name, "too many dimensions");
  for (const Json& length : json["shape"]) {
    if (!length.is_number_integer() || length.get<int64_t>() < 0)
      return BadTensor(name, "a dimension is no whole number");
    entry.tensor.shape.push_back(length.get<int64_t>());
  }
  for (const Json& offset : json["data_offsets"]) {
    if (!offset.is_number_unsigned()) return BadTensor(name, "an offset is no whole number");
  }
  entry.begin = json["data_offsets"][0].get<uint64_t>();
  entry.end = json["data_offsets"][1].get<uint64_t>();
  if (entry.begin > entry.end) return BadTensor(name, "it ends before it begins");
  if (SizeOf(entry.tensor) != entry.end - entry.begin)
    return BadTensor(name, "its size is not that of its shape");
  return entry;
}

// Every byte of `data` belongs to one entry.
absl::Status CheckCoverage(const std::map<std::string, Entry>& entries, uint64_t size) {
  std::vector<std::pair<uint64_t, uint64_t>> ranges;
  for (const auto& [name, entry] : entries) ranges.emplace_back(entry.begin, entry.end);
  std::sort(ranges.begin(), ranges.end());
  uint64_t covered = 0;
  for (const auto& [begin, end] : ranges) {
    if (begin != covered) return InvalidArgument("tensors overlap or leave a gap at byte {}", covered);
    covered = end;
  }
  if (covered != size)
    return InvalidArgument("the tensors have {} bytes, the file {}: it is cut off", covered, size);
  return absl::OkStatus();
}

}  // namespace

std::string WriteSafeTensors(const SafeTensors& content) {
  Json header = Json::object();
  if (!content.metadata.empty()) header["__metadata__"] = content.metadata;
  uint64_t offset = 0;
  for (const auto& [name, tensor] : content.tensors) {
    header[name] = {{"dtype", tensor.dtype},
                    {"shape", tensor.shape},
                    {"data_offsets", {offset, offset + tensor.bytes.size()}}};
    offset += tensor.bytes.size();
  }
  // Class names need not be UTF-8.
  std::string text = header.dump(-1, ' ', false, Json::error_handler_t::replace);
  text.append((8 - text.size() % 8) % 8, ' ');
  std::string file;
  file.reserve(kLengthBytes + text.size() + offset);
  for (size_t i = 0; i < kLengthBytes; ++i) file += static_cast<char>(text.size() >> (8 * i) & 0xff);
  file += text;
  for (const auto& [name, tensor] : content.tensors) file += tensor.bytes;
  return file;
}

absl::StatusOr<SafeTensors> ParseSafeTensors(std::string_view file) {
  if (file.size() < kLengthBytes)
    return InvalidArgument("it has {} bytes, too few for a header", file.size());
  uint64_t length = 0;
  for (size_t i = 0; i < kLengthBytes; ++i)
    length |= static_cast<uint64_t>(static_cast<unsigned char>(file[i])) << (8 * i);
  if (length > kMaxHeader || length > file.size() - kLengthBytes)
    return InvalidArgument("its header is said to have {} bytes, and the file has {}", length, file.size());
  const std::string_view text = file.substr(kLengthBytes, length), data = file.substr(kLengthBytes + length);
  GS_ASSIGN_OR_RETURN(const Json header, ParseJson(text));
  if (!header.is_object()) return InvalidArgument("its header is no object");
  SafeTensors content;
  std::map<std::string, Entry> entries;
  for (const auto& [name, value] : header.items()) {
    if (name != "__metadata__") {
      GS_ASSIGN_OR_RETURN(entries[name], ParseEntry(name, value));
      continue;
    }
    if (!value.is_object()) return InvalidArgument("its metadata is no object");
    for (const auto& [key, item] : value.items()) {
      if (!item.is_string()) return InvalidArgument("its metadata '{}' is no text", key);
      content.metadata[key] = item.get<std::string>();
    }
  }
  GS_RETURN_IF_ERROR(CheckCoverage(entries, data.size()));
  for (auto& [name, entry] : entries) {
    entry.tensor.bytes = data.substr(entry.begin, entry.end - entry.begin);
    content.tensors[name] = std::move(entry.tensor);
  }
  return content;
}

}  // namespace gridsweep
