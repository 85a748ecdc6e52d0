// Parameter values and what a parameter accepts.
#include <charconv>
#include <cmath>
#include <limits>

#include "common/catalog/catalog.h"

namespace gridsweep {
namespace {

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

// Shortest text that reads back to the same bits, without the zero that printf puts into exponents: 1e-5, not
// 1e-05.
std::string DoubleText(double value) {
  std::string text = fmt::format("{}", value);
  const size_t e = text.find('e');
  if (e != std::string::npos && e + 2 < text.size() && text[e + 2] == '0') text.erase(e + 2, 1);
  return text;
}

std::string RangeText(const ParamSpec& spec) {
  return fmt::format("{}{}, {}{}", spec.min_open ? "(" : "[", DoubleText(spec.min), DoubleText(spec.max),
                     spec.max_open ? ")" : "]");
}

bool InRange(const ParamSpec& spec, double value) {
  // Written so that NaN is out of every range.
  const bool above = spec.min_open ? value > spec.min : value >= spec.min;
  const bool below = spec.max_open ? value < spec.max : value <= spec.max;
  return above && below;
}

}  // namespace

std::string_view ParamTypeName(ParamType type) {
  switch (type) {
    case ParamType::kBool:
      return "bool";
    case ParamType::kInt:
      return "int";
    case ParamType::kFloat:
      return "float";
    case ParamType::kIntList:
      return "int list";
  }
  return "unknown";
}

std::string ParamValueText(const ParamValue& value) {
  return std::visit(Overloaded{
                        [](bool v) -> std::string { return v ? "true" : "false"; },
                        [](int64_t v) { return fmt::format("{}", v); },
                        [](double v) { return DoubleText(v); },
                        [](const std::vector<int64_t>& v) {
                          std::string text = "[";
                          for (size_t i = 0; i < v.size(); ++i)
                            text += fmt::format("{}{}", i > 0 ? ", " : "", v[i]);
                          return text + "]";
                        },
                    },
                    value);
}

Json ParamValueToJson(const ParamValue& value) {
  return std::visit([](const auto& v) { return Json(v); }, value);
}

absl::StatusOr<ParamValue> ParamValueFromJson(const Json& json) {
  const auto integer = [](const Json& j) {
    return j.is_number_integer() &&
           !(j.is_number_unsigned() && j.get<uint64_t>() > uint64_t{std::numeric_limits<int64_t>::max()});
  };
  if (json.is_boolean()) return ParamValue(json.get<bool>());
  if (integer(json)) return ParamValue(json.get<int64_t>());
  if (json.is_number_float()) return ParamValue(json.get<double>());
  if (json.is_array()) {
    std::vector<int64_t> list;
    for (const Json& item : json) {
      if (!integer(item)) return InvalidArgument("expected a list of ints, got {}", json.dump());
      list.push_back(item.get<int64_t>());
    }
    return ParamValue(std::move(list));
  }
  return InvalidArgument("expected a bool, a number or a list of ints, got {}", json.dump());
}

std::string ParamSpec::Expectation() const {
  switch (type) {
    case ParamType::kBool:
      return "true or false";
    case ParamType::kInt:
    case ParamType::kFloat:
      return fmt::format("{} in {}", ParamTypeName(type), RangeText(*this));
    case ParamType::kIntList:
      return fmt::format("int list of {} to {} elements in {}", min_length, max_length, RangeText(*this));
  }
  return "";
}

absl::StatusOr<ParamValue> ParamSpec::Validate(const ParamValue& value) const {
  const auto refuse = [&] {
    return InvalidArgument("expected {}, got {}", Expectation(), ParamValueText(value));
  };
  switch (type) {
    case ParamType::kBool:
      if (std::holds_alternative<bool>(value)) return value;
      return refuse();
    case ParamType::kInt: {
      const auto* integer = std::get_if<int64_t>(&value);
      if (integer == nullptr || !InRange(*this, static_cast<double>(*integer))) return refuse();
      return value;
    }
    case ParamType::kFloat: {
      double number = 0;
      if (const auto* integer = std::get_if<int64_t>(&value)) {
        number = static_cast<double>(*integer);
      } else if (const auto* real = std::get_if<double>(&value)) {
        number = *real;
      } else {
        return refuse();
      }
      if (!InRange(*this, number)) return refuse();
      // Adding zero turns -0.0 into 0.0: one value, one spelling.
      return ParamValue(number + 0.0);
    }
    case ParamType::kIntList: {
      const auto* list = std::get_if<std::vector<int64_t>>(&value);
      if (list == nullptr) return refuse();
      const auto length = static_cast<int64_t>(list->size());
      if (length < min_length || length > max_length) return refuse();
      for (const int64_t element : *list) {
        if (!InRange(*this, static_cast<double>(element))) return refuse();
      }
      return value;
    }
  }
  return Internal("unknown parameter type");
}

}  // namespace gridsweep
