// Declaring a component's parameters, and reading them in its factory. Free of LibTorch.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "common/catalog/catalog.h"

namespace gridsweep {

// A parameter's declaration, refined by chaining:
//   FloatParam("lr", 0.001, "learning rate of the first epoch").Above(0).AtMost(10)
class Param {
 public:
  explicit Param(ParamSpec spec) : spec_(std::move(spec)) {}
  operator ParamSpec() && {
    return std::move(spec_);
  }  // NOLINT: an entry lists Params where ParamSpecs are wanted

  Param&& AtLeast(double min) && { return Bound(spec_.min, spec_.min_open, min, false); }
  Param&& Above(double min) && { return Bound(spec_.min, spec_.min_open, min, true); }
  Param&& AtMost(double max) && { return Bound(spec_.max, spec_.max_open, max, false); }
  Param&& Below(double max) && { return Bound(spec_.max, spec_.max_open, max, true); }
  Param&& Length(int min, int max) && {
    spec_.min_length = min;
    spec_.max_length = max;
    return std::move(*this);
  }
  Param&& Primary() && {
    spec_.primary = true;
    return std::move(*this);
  }

 private:
  Param&& Bound(double& end, bool& open, double value, bool is_open) {
    end = value;
    open = is_open;
    return std::move(*this);
  }
  ParamSpec spec_;
};

inline Param MakeParam(std::string name, std::string doc, ParamType type, ParamValue default_value) {
  ParamSpec spec;
  spec.name = std::move(name);
  spec.doc = std::move(doc);
  spec.type = type;
  spec.default_value = std::move(default_value);
  return Param(std::move(spec));
}
inline Param BoolParam(std::string name, bool value, std::string doc) {
  return MakeParam(std::move(name), std::move(doc), ParamType::kBool, value);
}
inline Param IntParam(std::string name, int64_t value, std::string doc) {
  return MakeParam(std::move(name), std::move(doc), ParamType::kInt, value);
}
inline Param FloatParam(std::string name, double value, std::string doc) {
  return MakeParam(std::move(name), std::move(doc), ParamType::kFloat, value);
}
inline Param IntListParam(std::string name, std::vector<int64_t> value, std::string doc) {
  return MakeParam(std::move(name), std::move(doc), ParamType::kIntList, std::move(value));
}

// Resolved parameters, as a factory reads them. A name or type that the entry does not declare throws: the
// test that builds every entry from its defaults finds it. Borrows the component.
class Params {
 public:
  explicit Params(const Component& component) : values_(component.params) {}
  bool Bool(const char* name) const { return std::get<bool>(values_.at(name)); }
  int64_t Int(const char* name) const { return std::get<int64_t>(values_.at(name)); }
  double Float(const char* name) const { return std::get<double>(values_.at(name)); }
  const std::vector<int64_t>& IntList(const char* name) const {
    return std::get<std::vector<int64_t>>(values_.at(name));
  }

 private:
  const std::map<std::string, ParamValue>& values_;
};

}  // namespace gridsweep
