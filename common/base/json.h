// The one place that includes the JSON library.
//
// Doubles are written in the shortest form that reads back to the same bits. JSON has no NaN or infinity:
// numbers that may be non-finite go through NumberToJson/NumberFromJson, which use the strings "nan", "inf"
// and "-inf".
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/status.h"

namespace gridsweep {

using Json = nlohmann::json;  // objects keep their keys sorted, so dump() is canonical

// Returns INVALID_ARGUMENT with the byte offset if `text` is not one JSON document.
absl::StatusOr<Json> ParseJson(std::string_view text);

Json NumberToJson(double value);
// Returns nullopt if `json` is neither a number nor one of the three strings.
std::optional<double> NumberFromJson(const Json& json);

// The member `key` of `object` as T. Returns INVALID_ARGUMENT naming the key if it is missing or of another
// type.
template <typename T>
absl::StatusOr<T> GetField(const Json& object, const char* key) {
  const auto it = object.is_object() ? object.find(key) : object.end();
  if (!object.is_object() || it == object.end()) return InvalidArgument("missing field \"{}\"", key);
  try {
    return it->template get<T>();
  } catch (const nlohmann::json::exception&) {
    return InvalidArgument("field \"{}\" has the wrong type: {}", key, it->dump());
  }
}

}  // namespace gridsweep
