// Typed values out of YAML nodes, accepting only what a person means: 017, 0x1f, .nan, yes and "3" are no
// numbers and no bools here.
#pragma once

#include <string>
#include <vector>

#include "common/catalog/catalog.h"
#include "common/sweep/yaml_reader.h"

namespace gridsweep {

// One value of `param`. `what` introduces the message: "optimizer 'sgd', parameter 'lr'".
absl::StatusOr<ParamValue> ReadParam(const SweepSource& source, const YamlNode& node, const ParamSpec& param,
                                     const std::string& what);

// One value, or a nested axis: a list of scalars where a scalar is expected, a list of lists where a list is.
// At least one value; duplicates are kept.
absl::StatusOr<std::vector<ParamValue>> ReadParamChoices(const SweepSource& source, const YamlNode& node,
                                                         const ParamSpec& param, const std::string& what);

// A scalar as text, e.g. a name.
absl::StatusOr<std::string> ReadText(const SweepSource& source, const YamlNode& node,
                                     const std::string& what);

// A name of 1 to `max_length` letters, digits, dots, underscores and dashes that does not start with a dot.
absl::StatusOr<std::string> ReadName(const SweepSource& source, const YamlNode& node, const std::string& what,
                                     size_t max_length);

// The error for a key of `map` that is not in `known`, if any.
absl::Status CheckKeys(const SweepSource& source, const YamlNode& map, const std::vector<std::string>& known,
                       const std::string& what);

// The value of `key`, nullptr if the map has no such key.
const YamlNode* FindKey(const YamlNode& map, std::string_view key);

}  // namespace gridsweep
