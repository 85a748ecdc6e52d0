// YAML text to a small tree with positions. The one user of yaml-cpp, whose exceptions stop here.
//
// The tree is built from the parser's events rather than from its own nodes: those resolve aliases into
// cycles and exponential graphs, keep the first of duplicate keys without a word, and guess types ("no" is
// false, 017 is 15).
#pragma once

#include <string>
#include <vector>

#include "common/base/status.h"
#include "common/sweep/sweep_source.h"

namespace gridsweep {

struct YamlNode {
  enum class Kind { kNull, kScalar, kList, kMap };

  Kind kind = Kind::kNull;
  bool quoted = false;  // of a scalar: written in quotes or as a block, so it is text and never a number
  SourcePosition at;
  std::string text;             // of a scalar, as written
  std::vector<YamlNode> keys;   // of a map: distinct scalars, parallel to items
  std::vector<YamlNode> items;  // of a list or map

  bool IsNull() const { return kind == Kind::kNull; }
  bool IsScalar() const { return kind == Kind::kScalar; }
  bool IsList() const { return kind == Kind::kList; }
  bool IsMap() const { return kind == Kind::kMap; }
};

inline constexpr int kMaxYamlNodes = 20'000;
inline constexpr int kMaxYamlDepth = 64;

// Parses one document. Returns INVALID_ARGUMENT with the place for text that CheckText refuses or that is not
// YAML, for anchors, aliases, tags, a second document, keys that are not scalars or appear twice, and for
// trees that are too large or too deep.
absl::StatusOr<YamlNode> ReadYaml(const SweepSource& source);

// What `node` is, for messages: "'0.5'", "the string \"0.5\"", "a list", "a map", "nothing".
std::string Describe(const YamlNode& node);

// `node` on one line in flow style, cut off at about `max_bytes`.
std::string FlowText(const YamlNode& node, size_t max_bytes = 200);

}  // namespace gridsweep
