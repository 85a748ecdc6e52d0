#include "common/sweep/scalar_reader.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "common/catalog/quote.h"

namespace gridsweep {
namespace {

// Longer than any number needs, so that a hostile one costs nothing.
constexpr size_t kMaxNumberLength = 64;

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

// Whether the text is [+-] digits with an optional fraction and exponent; sets `integral` if it has neither.
bool LooksLikeNumber(std::string_view text, bool& integral, bool& leading_zero) {
  size_t i = !text.empty() && (text[0] == '+' || text[0] == '-') ? 1 : 0;
  const size_t digits_start = i;
  while (i < text.size() && IsDigit(text[i])) ++i;
  size_t digits = i - digits_start;
  leading_zero = digits > 1 && text[digits_start] == '0';
  integral = true;
  if (i < text.size() && text[i] == '.') {
    integral = false;
    ++i;
    while (i < text.size() && IsDigit(text[i])) {
      ++i;
      ++digits;
    }
  }
  if (digits == 0) return false;
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    integral = false;
    ++i;
    if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
    const size_t exponent_start = i;
    while (i < text.size() && IsDigit(text[i])) ++i;
    if (i == exponent_start) return false;
  }
  return i == text.size();
}

// A value, or a hint why there is none.
struct Scalar {
  std::optional<ParamValue> value;
  std::string hint;
};

Scalar ParseNumber(std::string_view text) {
  bool integral = false;
  bool leading_zero = false;
  if (text.size() > kMaxNumberLength || !LooksLikeNumber(text, integral, leading_zero)) return {};
  if (leading_zero) return {std::nullopt, "write it without the leading zero"};
  if (text[0] == '+') text.remove_prefix(1);
  const char* end = text.data() + text.size();
  if (integral) {
    int64_t value = 0;
    if (std::from_chars(text.data(), end, value).ec != std::errc()) return {std::nullopt, "too large"};
    return {ParamValue(value), ""};
  }
  double value = 0;
  if (std::from_chars(text.data(), end, value).ec != std::errc()) {
    return {std::nullopt, "beyond the range of a 64-bit float"};
  }
  return {ParamValue(value), ""};
}

Scalar ParseBool(const std::string& text) {
  if (text == "true" || text == "True" || text == "TRUE") return {ParamValue(true), ""};
  if (text == "false" || text == "False" || text == "FALSE") return {ParamValue(false), ""};
  for (const char* yes : {"yes", "Yes", "YES", "on", "On", "ON", "y", "Y", "1"}) {
    if (text == yes) return {std::nullopt, "write true"};
  }
  for (const char* no : {"no", "No", "NO", "off", "Off", "OFF", "n", "N", "0"}) {
    if (text == no) return {std::nullopt, "write false"};
  }
  return {};
}

Scalar ParseScalar(const YamlNode& node, ParamType type) {
  if (!node.IsScalar()) return {};
  Scalar scalar = type == ParamType::kBool ? ParseBool(node.text) : ParseNumber(node.text);
  if (!scalar.value || !node.quoted) return scalar;
  return {std::nullopt, "remove the quotes"};
}

absl::Status Mismatch(const SweepSource& source, const YamlNode& node, const ParamSpec& param,
                      const std::string& what, const std::string& hint) {
  return source.Error(node.at, fmt::format("{}: expected {}, got {}{}", what, param.Expectation(),
                                           Describe(node), hint.empty() ? "" : fmt::format(" ({})", hint)));
}

absl::StatusOr<ParamValue> ReadIntList(const SweepSource& source, const YamlNode& node,
                                       const ParamSpec& param, const std::string& what) {
  if (!node.IsList()) {
    const std::string hint = node.IsScalar() ? fmt::format("write [{}]", FlowText(node, 20)) : "";
    return Mismatch(source, node, param, what, hint);
  }
  // Refused here, so that a hostile list is not copied.
  if (node.items.size() > static_cast<size_t>(param.max_length)) {
    return source.Error(node.at, fmt::format("{}: expected {}, got {} elements", what, param.Expectation(),
                                             node.items.size()));
  }
  std::vector<int64_t> list;
  for (const YamlNode& item : node.items) {
    const Scalar scalar = ParseScalar(item, ParamType::kInt);
    const auto* integer = scalar.value ? std::get_if<int64_t>(&*scalar.value) : nullptr;
    if (integer == nullptr) return Mismatch(source, item, param, what, scalar.hint);
    list.push_back(*integer);
  }
  return ParamValue(std::move(list));
}

}  // namespace

absl::StatusOr<ParamValue> ReadParam(const SweepSource& source, const YamlNode& node, const ParamSpec& param,
                                     const std::string& what) {
  ParamValue value;
  if (param.type == ParamType::kIntList) {
    GS_ASSIGN_OR_RETURN(value, ReadIntList(source, node, param, what));
  } else {
    const Scalar scalar = ParseScalar(node, param.type);
    if (!scalar.value) return Mismatch(source, node, param, what, scalar.hint);
    value = *scalar.value;
  }
  absl::StatusOr<ParamValue> valid = param.Validate(value);
  if (valid.ok()) return valid;
  return source.Error(node.at, fmt::format("{}: {}", what, Message(valid.status())));
}

absl::StatusOr<std::vector<ParamValue>> ReadParamChoices(const SweepSource& source, const YamlNode& node,
                                                         const ParamSpec& param, const std::string& what) {
  const bool wants_list = param.type == ParamType::kIntList;
  const bool nested = node.IsList() && (!wants_list || (!node.items.empty() && node.items[0].IsList()));
  std::vector<ParamValue> choices;
  if (!nested) {
    GS_ASSIGN_OR_RETURN(ParamValue value, ReadParam(source, node, param, what));
    choices.push_back(std::move(value));
    return choices;
  }
  if (node.items.empty()) {
    return source.Error(node.at, fmt::format("{}: an empty list, expected at least one value", what));
  }
  choices.reserve(node.items.size());
  for (const YamlNode& item : node.items) {
    GS_ASSIGN_OR_RETURN(ParamValue value, ReadParam(source, item, param, what));
    choices.push_back(std::move(value));
  }
  return choices;
}

absl::StatusOr<std::string> ReadText(const SweepSource& source, const YamlNode& node,
                                     const std::string& what) {
  if (node.IsScalar()) return node.text;
  return source.Error(node.at, fmt::format("{}: expected a name, got {}", what, Describe(node)));
}

absl::StatusOr<std::string> ReadName(const SweepSource& source, const YamlNode& node, const std::string& what,
                                     size_t max_length) {
  GS_ASSIGN_OR_RETURN(const std::string text, ReadText(source, node, what));
  const bool legal = !text.empty() && text.size() <= max_length && text[0] != '.' &&
                     std::all_of(text.begin(), text.end(), [](unsigned char c) {
                       return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                              c == '.' || c == '_' || c == '-';
                     });
  if (legal) return text;
  return source.Error(node.at,
                      fmt::format("{}: expected 1 to {} letters, digits, '.', '_' or '-', not starting with "
                                  "'.', got {}",
                                  what, max_length, Quoted(text)));
}

absl::Status CheckKeys(const SweepSource& source, const YamlNode& map, const std::vector<std::string>& known,
                       const std::string& what) {
  for (const YamlNode& key : map.keys) {
    if (std::find(known.begin(), known.end(), key.text) != known.end()) continue;
    std::string joined;
    for (const std::string& name : known) {
      if (!joined.empty()) joined += ", ";
      joined += name;
    }
    const std::string nearest = DidYouMean(key.text, known);
    return source.Error(
        key.at, fmt::format("{}unknown key {}{}, expected one of {}", what.empty() ? "" : what + ": ",
                            Quoted(key.text),
                            nearest.empty() ? "" : fmt::format(" (did you mean '{}'?)", nearest), joined));
  }
  return absl::OkStatus();
}

const YamlNode* FindKey(const YamlNode& map, std::string_view key) {
  for (size_t i = 0; i < map.keys.size(); ++i) {
    if (map.keys[i].text == key) return &map.items[i];
  }
  return nullptr;
}

}  // namespace gridsweep
