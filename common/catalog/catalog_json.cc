// The catalog as a document: written by the trainer's build, read by everyone else's.
#include <cmath>
#include <set>

#include "common/catalog/catalog.h"

namespace gridsweep {
namespace {

constexpr ParamType kParamTypes[] = {ParamType::kBool, ParamType::kInt, ParamType::kFloat,
                                     ParamType::kIntList};

// Bounds of ints are printed as ints.
Json BoundToJson(ParamType type, double bound) {
  return type == ParamType::kFloat ? Json(bound) : Json(static_cast<int64_t>(bound));
}

Json ParamToJson(const ParamSpec& param) {
  Json json = {{"name", param.name},
               {"doc", param.doc},
               {"type", std::string(ParamTypeName(param.type))},
               {"default", ParamValueToJson(param.default_value)}};
  if (param.type != ParamType::kBool) {
    json["min"] = BoundToJson(param.type, param.min);
    json["max"] = BoundToJson(param.type, param.max);
    if (param.min_open) json["min_open"] = true;
    if (param.max_open) json["max_open"] = true;
  }
  if (param.type == ParamType::kIntList) {
    json["min_length"] = param.min_length;
    json["max_length"] = param.max_length;
  }
  if (param.primary) json["primary"] = true;
  return json;
}

absl::Status CheckKeys(const Json& object, const std::set<std::string>& known) {
  if (!object.is_object()) return InvalidArgument("expected an object, got {}", object.dump().substr(0, 60));
  for (const auto& [key, value] : object.items()) {
    if (known.count(key) == 0) return InvalidArgument("unknown field \"{}\"", key);
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> OptionalFlag(const Json& object, const char* key) {
  if (!object.contains(key)) return false;
  return GetField<bool>(object, key);
}

absl::StatusOr<ParamType> ParseParamType(const std::string& name) {
  for (const ParamType type : kParamTypes) {
    if (ParamTypeName(type) == name) return type;
  }
  return InvalidArgument("field \"type\": unknown type '{}', expected bool, int, float or int list", name);
}

absl::StatusOr<ParamSpec> ParamFromJson(const Json& json) {
  GS_RETURN_IF_ERROR(CheckKeys(json, {"name", "doc", "type", "default", "min", "max", "min_open", "max_open",
                                      "min_length", "max_length", "primary"}));
  ParamSpec param;
  GS_ASSIGN_OR_RETURN(param.name, GetField<std::string>(json, "name"));
  GS_ASSIGN_OR_RETURN(param.doc, GetField<std::string>(json, "doc"));
  GS_ASSIGN_OR_RETURN(const std::string type, GetField<std::string>(json, "type"));
  GS_ASSIGN_OR_RETURN(param.type, ParseParamType(type));
  if (param.type != ParamType::kBool) {
    GS_ASSIGN_OR_RETURN(param.min, GetField<double>(json, "min"));
    GS_ASSIGN_OR_RETURN(param.max, GetField<double>(json, "max"));
    GS_ASSIGN_OR_RETURN(param.min_open, OptionalFlag(json, "min_open"));
    GS_ASSIGN_OR_RETURN(param.max_open, OptionalFlag(json, "max_open"));
    if (!(param.min <= param.max)) return InvalidArgument("field \"min\" is greater than \"max\"");
  }
  if (param.type == ParamType::kIntList) {
    GS_ASSIGN_OR_RETURN(param.min_length, GetField<int>(json, "min_length"));
    GS_ASSIGN_OR_RETURN(param.max_length, GetField<int>(json, "max_length"));
  }
  GS_ASSIGN_OR_RETURN(param.primary, OptionalFlag(json, "primary"));
  if (!json.contains("default")) return InvalidArgument("missing field \"default\"");
  absl::StatusOr<ParamValue> value = ParamValueFromJson(json["default"]);
  if (value.ok()) value = param.Validate(*value);
  if (!value.ok()) return Annotate(value.status(), "field \"default\"");
  param.default_value = *std::move(value);
  return param;
}

absl::Status ParamsFromJson(const Json& json, std::vector<ParamSpec>& params) {
  if (!json.is_array()) return InvalidArgument("field \"params\" is not a list");
  int primaries = 0;
  std::set<std::string> names;
  for (size_t i = 0; i < json.size(); ++i) {
    absl::StatusOr<ParamSpec> param = ParamFromJson(json[i]);
    if (!param.ok()) return Annotate(param.status(), fmt::format("parameter {}", i + 1));
    if (!names.insert(param->name).second)
      return InvalidArgument("parameter '{}' appears twice", param->name);
    primaries += param->primary ? 1 : 0;
    params.push_back(*std::move(param));
  }
  if (primaries > 1) return InvalidArgument("more than one parameter is primary");
  return absl::OkStatus();
}

absl::StatusOr<ComponentSpec> ComponentFromJson(const Json& json) {
  GS_RETURN_IF_ERROR(CheckKeys(json, {"axis", "name", "doc", "params", "properties"}));
  ComponentSpec component;
  GS_ASSIGN_OR_RETURN(const std::string axis, GetField<std::string>(json, "axis"));
  absl::StatusOr<Axis> parsed = ParseAxis(axis);
  if (!parsed.ok()) return InvalidArgument("field \"axis\": {}", Message(parsed.status()));
  component.axis = *parsed;
  GS_ASSIGN_OR_RETURN(component.name, GetField<std::string>(json, "name"));
  GS_ASSIGN_OR_RETURN(component.doc, GetField<std::string>(json, "doc"));
  using Properties = std::map<std::string, bool>;
  GS_ASSIGN_OR_RETURN(component.properties, GetField<Properties>(json, "properties"));
  if (!json.contains("params")) return InvalidArgument("missing field \"params\"");
  absl::Status params = ParamsFromJson(json["params"], component.params);
  if (!params.ok()) return Annotate(params, fmt::format("'{}'", component.name));
  return component;
}

}  // namespace

std::string Catalog::ToJson() const {
  Json components = Json::array();
  for (const ComponentSpec& component : components_) {
    Json params = Json::array();
    for (const ParamSpec& param : component.params) params.push_back(ParamToJson(param));
    components.push_back({{"axis", std::string(AxisName(component.axis))},
                          {"name", component.name},
                          {"doc", component.doc},
                          {"params", std::move(params)},
                          {"properties", component.properties}});
  }
  return Json({{"components", std::move(components)}}).dump(2) + "\n";
}

absl::StatusOr<Catalog> Catalog::FromJson(std::string_view text) {
  GS_ASSIGN_OR_RETURN(const Json json, ParseJson(text));
  GS_RETURN_IF_ERROR(CheckKeys(json, {"components"}));
  if (!json.contains("components") || !json["components"].is_array()) {
    return InvalidArgument("field \"components\" is missing or not a list");
  }
  std::vector<ComponentSpec> components;
  std::set<std::pair<Axis, std::string>> names;
  const Json& list = json["components"];
  for (size_t i = 0; i < list.size(); ++i) {
    absl::StatusOr<ComponentSpec> component = ComponentFromJson(list[i]);
    if (!component.ok()) return Annotate(component.status(), fmt::format("component {}", i + 1));
    if (!names.emplace(component->axis, component->name).second) {
      return InvalidArgument("component {}: {} '{}' appears twice", i + 1, AxisName(component->axis),
                             component->name);
    }
    components.push_back(*std::move(component));
  }
  return Catalog(std::move(components));
}

}  // namespace gridsweep
