// The catalog: every component a sweep file may name, with its parameters, bounds, defaults and
// documentation.
//
// The entries are written once, beside the code that builds them, in worker/trainer/components and
// common/schedule. catalog.json
// is printed from them (`./dev catalog`) and embedded here, so that the programs without LibTorch know the
// same components; a test fails when the two differ.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/base/json.h"
#include "common/base/status.h"

namespace gridsweep {

// The dimensions of the grid, in the order in which they vary: the first slowest.
enum class Axis { kModel, kActivation, kOptimizer, kRegularization, kScheduler };
inline constexpr int kAxisCount = 5;
inline constexpr Axis kAllAxes[kAxisCount] = {Axis::kModel, Axis::kActivation, Axis::kOptimizer,
                                              Axis::kRegularization, Axis::kScheduler};

// "model", "activation", "optimizer", "regularization", "scheduler".
std::string_view AxisName(Axis axis);
// Returns NOT_FOUND listing the axes.
absl::StatusOr<Axis> ParseAxis(std::string_view name);

enum class ParamType { kBool, kInt, kFloat, kIntList };
// "bool", "int", "float", "int list".
std::string_view ParamTypeName(ParamType type);

using ParamValue = std::variant<bool, int64_t, double, std::vector<int64_t>>;

// As written in a sweep file and in labels: true, 3, 0.05, [32, 64]. Doubles in their shortest form.
std::string ParamValueText(const ParamValue& value);
Json ParamValueToJson(const ParamValue& value);
// Returns INVALID_ARGUMENT if `json` is not a bool, an int64, a double or a list of int64.
absl::StatusOr<ParamValue> ParamValueFromJson(const Json& json);

// One parameter of a component.
struct ParamSpec {
  std::string name;
  std::string doc;  // one line, with the unit where there is one
  ParamType type = ParamType::kFloat;
  ParamValue default_value;
  // Bounds of a number, or of each element of a list. The ends are legal unless marked open.
  double min = 0;
  double max = 0;
  bool min_open = false;
  bool max_open = false;
  // Bounds of a list's length.
  int min_length = 1;
  int max_length = 1;
  // A component with exactly one value in the file, as in `l2: 1.0e-4`, sets this parameter.
  bool primary = false;

  // "float in (0, 1)", "int list of 1 to 8 elements in [1, 4096]".
  std::string Expectation() const;
  // Returns INVALID_ARGUMENT saying the value and what was expected. An int is accepted for a float.
  absl::StatusOr<ParamValue> Validate(const ParamValue& value) const;
};

// One value an axis can take.
struct ComponentSpec {
  Axis axis = Axis::kModel;
  std::string name;
  std::string doc;  // one line
  std::vector<ParamSpec> params;
  // Facts that other parts may rely on instead of the name, e.g. "monotone" of an activation.
  std::map<std::string, bool> properties;

  const ParamSpec* FindParam(std::string_view param) const;  // nullptr if there is none
  const ParamSpec* PrimaryParam() const;                     // nullptr if there is none
  // The INVALID_ARGUMENT for a parameter that FindParam does not know: "did you mean" and the candidates.
  absl::Status UnknownParam(std::string_view param) const;
};

// A component with all its parameters resolved.
struct Component {
  std::string name;
  std::map<std::string, ParamValue> params;
  friend bool operator==(const Component&, const Component&) = default;
};

// Immutable; thread-safe.
class Catalog {
 public:
  explicit Catalog(std::vector<ComponentSpec> components) : components_(std::move(components)) {}

  // The catalog embedded in this build.
  static const Catalog& Builtin();

  // Returns INVALID_ARGUMENT naming the entry and field if `text` is not a catalog as ToJson prints it.
  static absl::StatusOr<Catalog> FromJson(std::string_view text);
  // Indented, keys sorted, ends in a newline: fit for a diff.
  std::string ToJson() const;

  const std::vector<ComponentSpec>& components() const { return components_; }
  std::vector<const ComponentSpec*> OnAxis(Axis axis) const;
  // Returns NOT_FOUND with "did you mean" and the candidates.
  absl::StatusOr<const ComponentSpec*> Find(Axis axis, std::string_view name) const;

  // `name` with defaults filled in and every given parameter checked. Returns NOT_FOUND for an unknown name,
  // INVALID_ARGUMENT for an unknown or out-of-range parameter.
  absl::StatusOr<Component> Resolve(Axis axis, std::string_view name,
                                    const std::map<std::string, ParamValue>& given) const;

  // "sgd(lr=0.01, nesterov=true)": the name and the parameters that differ from their defaults; a primary
  // parameter is always shown and unnamed, as in "l2(0.0001)".
  std::string Label(Axis axis, const Component& component) const;

 private:
  std::vector<ComponentSpec> components_;
};

// The candidate nearest to `name` by edit distance, if near enough to be a typing error; otherwise empty.
std::string DidYouMean(std::string_view name, const std::vector<std::string>& candidates);

}  // namespace gridsweep
