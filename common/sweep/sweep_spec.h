// A sweep file after reading and checking: what the user asked for, with the axes still unexpanded.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/status.h"
#include "common/catalog/catalog.h"
#include "common/job/job_spec.h"
#include "common/sweep/value_set.h"

namespace gridsweep {

// One value of an axis: one component, or for regularization any number of them, sorted by name (none:
// empty).
struct AxisValue {
  std::vector<Component> components;
  friend bool operator==(const AxisValue&, const AxisValue&) = default;
};

// What an exclusion demands of one axis: a value that matches any of the choices.
struct ExclusionTerm {
  // A component, with any of the listed values for each parameter that the rule names.
  struct Pattern {
    std::string component;
    std::map<std::string, std::vector<ParamValue>> params;
  };
  // Matches a value that holds a component for every pattern; without patterns, only the empty
  // regularization. A value may hold more: l2 matches l2+dropout as well.
  struct Choice {
    std::vector<Pattern> patterns;
  };
  Axis axis = Axis::kModel;
  std::vector<Choice> choices;
  ValueSet values;  // positions of the axis's values that match
  // The definition of a match, one value at a time.
  bool Matches(const AxisValue& value) const;
};

// A cell is excluded if every term matches. At least one term, at most one for each axis.
struct Exclusion {
  std::vector<ExclusionTerm> terms;
  int line = 0;      // of the rule in the file
  std::string text;  // the rule in one line, for messages
};

struct SweepSpec {
  std::string name;     // [A-Za-z0-9._-]{1,64}
  std::string dataset;  // [A-Za-z0-9._-]{1,128}
  TrainingSpec training;
  Objective objective;
  std::vector<int64_t> seeds;  // distinct, at least one
  // The distinct values of each axis in the order of the file, by Axis. An axis that the file leaves out has
  // its default as the only value: mlp, relu, adam, none, none.
  std::array<std::vector<AxisValue>, kAxisCount> axes;
  std::array<int64_t, kAxisCount> duplicates{};  // values folded into an equal one
  std::vector<Exclusion> exclude;

  const std::vector<AxisValue>& axis(Axis axis) const { return axes[static_cast<size_t>(axis)]; }
};

// Limits of what a file may ask for.
struct SweepLimits {
  int64_t max_jobs = 100'000;  // after exclusions
  // The grid before exclusions may be this many times larger; computed with overflow checks before anything
  // is expanded.
  int64_t max_raw_factor = 10;
  // Values of one axis; they are held in memory, cells are not.
  int64_t max_axis_values = 20'000;
};

// The most that --max-jobs of a coordinator allows.
inline constexpr int64_t kMostJobs = 100'000'000;

// Reads the YAML text of a sweep file. `file` is the name used in messages. Every error is INVALID_ARGUMENT
// (or RESOURCE_EXHAUSTED for a grid over the limit) of the form "file:line:column: what is wrong, what was
// expected". Text over 256 KiB, anchors, aliases, tags, several documents, unknown and duplicate keys are
// refused; time and memory are bounded for any input (see text_check.h).
absl::StatusOr<SweepSpec> ParseSweep(std::string_view text, std::string_view file, const Catalog& catalog,
                                     const SweepLimits& limits = {});

// The label of one axis value: "sgd(lr=0.05)", "l2(0.0001)+dropout(0.3)", "none".
std::string AxisValueLabel(const Catalog& catalog, Axis axis, const AxisValue& value);

// The spec as one canonical document: every parameter resolved, and the excluded combinations instead of the
// rules.
Json SweepToJson(const SweepSpec& spec);

// 64 hex digits: SHA-256 of SweepToJson. Equal for two spellings of the same sweep.
std::string SweepContentHash(const SweepSpec& spec);

}  // namespace gridsweep
