#include "common/sweep/yaml_reader.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <sstream>
#include <unordered_set>

#include "common/catalog/quote.h"
#include "common/sweep/text_check.h"

namespace gridsweep {
namespace {

SourcePosition PositionOf(const YAML::Mark& mark) {
  return mark.line < 0 ? SourcePosition{} : SourcePosition{mark.line, mark.column};
}

// Thrown out of the parser by TreeBuilder and caught in ReadYaml.
struct Refusal {
  SourcePosition at;
  std::string message;
};

class TreeBuilder : public YAML::EventHandler {
 public:
  YamlNode TakeRoot() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1)
      throw Refusal{PositionOf(mark), "a second document, expected only one in a sweep file"};
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    YamlNode node = NewNode(YamlNode::Kind::kNull, mark, "", anchor);
    // The parser gives the place where a missing value was noticed, often on the next line; its key is more helpful.
    if (!open_.empty() && open_.back().node.IsMap() && !open_.back().ExpectsKey()) {
      node.at = open_.back().node.keys.back().at;
    }
    Attach(std::move(node));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    throw Refusal{PositionOf(mark), "an alias (*name): aliases are not supported, write the value out"};
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    YamlNode node = NewNode(YamlNode::Kind::kScalar, mark, tag, anchor);
    node.quoted = tag == "!";
    node.text = value;
    Attach(std::move(node));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(NewNode(YamlNode::Kind::kList, mark, tag, anchor));
  }
  void OnSequenceEnd() override { Close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(NewNode(YamlNode::Kind::kMap, mark, tag, anchor));
  }
  void OnMapEnd() override { Close(); }

 private:
  struct Frame {
    YamlNode node;
    std::unordered_set<std::string> keys;
    bool ExpectsKey() const { return node.IsMap() && node.keys.size() == node.items.size(); }
  };

  YamlNode NewNode(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag,
                   YAML::anchor_t anchor) {
    YamlNode node;
    node.kind = kind;
    node.at = PositionOf(mark);
    if (anchor != 0)
      throw Refusal{node.at, "an anchor (&name): anchors are not supported, write the value out"};
    // The parser marks untagged plain nodes "?" and untagged quoted ones "!".
    if (!tag.empty() && tag != "?" && tag != "!") {
      throw Refusal{node.at, fmt::format("a tag {}: tags are not supported", Quoted(tag))};
    }
    if (++nodes_ > kMaxYamlNodes) {
      throw Refusal{node.at, fmt::format("more than {} values, expected a sweep file", kMaxYamlNodes)};
    }
    return node;
  }

  void Open(YamlNode node) {
    if (open_.size() >= static_cast<size_t>(kMaxYamlDepth)) {
      throw Refusal{node.at, fmt::format("nested deeper than {} levels", kMaxYamlDepth)};
    }
    if (!open_.empty() && open_.back().ExpectsKey()) {
      throw Refusal{node.at, fmt::format("a {} as a key, expected a name", node.IsList() ? "list" : "map")};
    }
    open_.push_back({std::move(node), {}});
  }

  void Close() {
    YamlNode node = std::move(open_.back().node);
    open_.pop_back();
    Attach(std::move(node));
  }

  void Attach(YamlNode node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& parent = open_.back();
    if (!parent.ExpectsKey()) {
      parent.node.items.push_back(std::move(node));
      return;
    }
    if (!node.IsScalar()) throw Refusal{node.at, "nothing as a key, expected a name"};
    if (!parent.keys.insert(node.text).second) {
      throw Refusal{node.at, fmt::format("key {} appears twice", Quoted(node.text))};
    }
    parent.node.keys.push_back(std::move(node));
  }

  YamlNode root_;
  std::vector<Frame> open_;
  int documents_ = 0;
  int nodes_ = 0;
};

std::string ScalarFlowText(const YamlNode& node) {
  if (!node.quoted) return Quoted(node.text).substr(1, Quoted(node.text).size() - 2);
  return Quoted(node.text);
}

// Appends until `max_bytes` are passed; the caller marks the cut.
void AppendFlow(const YamlNode& node, size_t max_bytes, std::string& out) {
  if (out.size() > max_bytes) return;
  if (node.IsNull()) out += "null";
  if (node.IsScalar()) out += ScalarFlowText(node);
  if (!node.IsList() && !node.IsMap()) return;
  out += node.IsMap() ? "{" : "[";
  for (size_t i = 0; i < node.items.size() && out.size() <= max_bytes; ++i) {
    if (i > 0) out += ", ";
    if (node.IsMap()) {
      out += ScalarFlowText(node.keys[i]);
      // A component without parameters reads best as its bare name.
      if (node.items[i].IsNull()) continue;
      out += ": ";
    }
    AppendFlow(node.items[i], max_bytes, out);
  }
  out += node.IsMap() ? "}" : "]";
}

}  // namespace

absl::StatusOr<YamlNode> ReadYaml(const SweepSource& source) {
  GS_RETURN_IF_ERROR(CheckText(source));
  std::string_view text = source.text();
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  TreeBuilder builder;
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    if (!parser.HandleNextDocument(builder)) return source.Error({}, "the file is empty, expected a sweep");
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Refusal& refusal) {
    return source.Error(refusal.at, refusal.message);
  } catch (const YAML::Exception& error) {
    return source.Error(PositionOf(error.mark), fmt::format("not valid YAML: {}", error.msg));
  }
  return builder.TakeRoot();
}

std::string Describe(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::kNull:
      return "nothing";
    case YamlNode::Kind::kScalar:
      return node.quoted ? fmt::format("the string {}", Quoted(node.text)) : Quoted(node.text);
    case YamlNode::Kind::kList:
      return node.items.empty() ? "an empty list" : "a list";
    case YamlNode::Kind::kMap:
      return "a map";
  }
  return "";
}

std::string FlowText(const YamlNode& node, size_t max_bytes) {
  std::string out;
  AppendFlow(node, max_bytes, out);
  if (out.size() <= max_bytes) return out;
  while (max_bytes > 0 && (static_cast<unsigned char>(out[max_bytes]) & 0xc0) == 0x80) --max_bytes;
  out.resize(max_bytes);
  return out + "…";
}

}  // namespace gridsweep
