#include "common/results/labels.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

#include "common/base/status.h"

namespace gridsweep {
namespace {

struct Part {
  std::string name;
  std::vector<std::string> params;  // "lr=0.05", or "0.0001" for a primary parameter
};

// Splits at `separator` outside of brackets.
std::vector<std::string> SplitOutside(std::string_view text, char separator) {
  std::vector<std::string> pieces(1);
  int depth = 0;
  for (const char c : text) {
    if (c == '(' || c == '[') ++depth;
    if (c == ')' || c == ']') --depth;
    if (c == separator && depth == 0) {
      pieces.emplace_back();
    } else if (c != ' ' || !pieces.back().empty()) {
      pieces.back() += c;
    }
  }
  return pieces;
}

std::vector<Part> ParseLabel(const std::string& label) {
  std::vector<Part> parts;
  for (const std::string& text : SplitOutside(label, '+')) {
    const size_t open = text.find('(');
    if (open == std::string::npos || !text.ends_with(')')) {
      parts.push_back({text, {}});
    } else {
      parts.push_back(
          {text.substr(0, open), SplitOutside(text.substr(open + 1, text.size() - open - 2), ',')});
    }
  }
  return parts;
}

std::string FormatPart(const Part& part) {
  if (part.params.empty()) return part.name;
  return fmt::format("{}({})", part.name, fmt::join(part.params, ", "));
}

// The parameters of every distinct way a component appears.
using Variants = std::map<std::string, std::set<std::vector<std::string>>>;

bool InEveryVariant(const std::set<std::vector<std::string>>& variants, const std::string& param) {
  return std::all_of(variants.begin(), variants.end(), [&](const std::vector<std::string>& params) {
    return std::find(params.begin(), params.end(), param) != params.end();
  });
}

}  // namespace

LabelShortener::LabelShortener(const std::vector<std::string>& labels) {
  Variants variants;
  for (const std::string& label : labels) {
    for (const Part& part : ParseLabel(label)) variants[part.name].insert(part.params);
  }
  for (const auto& [name, ways] : variants) {
    std::vector<std::string> dropped;
    for (const std::string& param : *ways.begin()) {
      if (InEveryVariant(ways, param)) dropped.push_back(param);
    }
    if (dropped.empty()) continue;
    legend_.push_back(fmt::format("{}: {}", name, fmt::join(dropped, ", ")));
    dropped_[name] = std::move(dropped);
  }
}

std::string LabelShortener::Shorten(const std::string& label) const {
  std::vector<std::string> axes;
  for (const std::string& of_axis : SplitOutside(label, ' ')) {
    std::vector<std::string> parts;
    for (Part part : ParseLabel(of_axis)) {
      if (const auto found = dropped_.find(part.name); found != dropped_.end()) {
        std::erase_if(part.params, [&](const std::string& param) {
          return std::find(found->second.begin(), found->second.end(), param) != found->second.end();
        });
      }
      parts.push_back(FormatPart(part));
    }
    axes.push_back(fmt::format("{}", fmt::join(parts, "+")));
  }
  return fmt::format("{}", fmt::join(axes, " "));
}

}  // namespace gridsweep
