#include <algorithm>
#include <map>
#include <sstream>

#include "common/data/dataset.h"

namespace gridsweep {
namespace {

constexpr std::string_view kDigits = "0123456789";
constexpr std::string_view kUpper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
constexpr std::string_view kLower = "abcdefghijklmnopqrstuvwxyz";
// The lower-case letters that EMNIST's merged splits keep apart from their capitals (Cohen et al.,
// arXiv:1702.05373).
constexpr std::string_view kUnmerged = "abdefghnqrt";

std::vector<std::string> Letters(std::initializer_list<std::string_view> runs) {
  std::vector<std::string> names;
  for (const std::string_view run : runs) {
    for (const char letter : run) names.emplace_back(1, letter);
  }
  return names;
}

// Empty if the set is not known.
std::vector<std::string> KnownNames(std::string_view name) {
  if (name == "fashion-mnist") {
    return {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
            "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};
  }
  if (name == "mnist" || name == "emnist-mnist" || name == "emnist-digits") return Letters({kDigits});
  if (name == "emnist-balanced" || name == "emnist-bymerge") return Letters({kDigits, kUpper, kUnmerged});
  if (name == "emnist-byclass") return Letters({kDigits, kUpper, kLower});
  if (name == "emnist-letters") {
    std::vector<std::string> names;
    for (size_t i = 0; i < kUpper.size(); ++i) names.push_back({kUpper[i], '/', kLower[i]});
    return names;
  }
  return {};
}

// A line is "LABEL ASCII [ASCII …]"; several codes are one class, joined by a slash. Labels may start
// anywhere (EMNIST's letters start at 1) but must be consecutive. Returns nothing if the text is not such a
// file.
std::vector<std::string> MappedNames(const std::string& text) {
  std::map<int, std::string> by_label;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream fields(line);
    int label = 0, code = 0;
    if (!(fields >> label)) continue;
    std::string& name = by_label[label];
    while (fields >> code) {
      if (code <= ' ' || code > '~') return {};
      if (!name.empty()) name += '/';
      name += static_cast<char>(code);
    }
    if (name.empty() || !fields.eof()) return {};
  }
  std::vector<std::string> names;
  for (auto& [label, name] : by_label) {
    if (label != by_label.begin()->first + static_cast<int>(names.size())) return {};
    names.push_back(std::move(name));
  }
  return names;
}

}  // namespace

std::vector<std::string> ClassNames(std::string_view name, const std::string& mapping_text, int64_t classes) {
  for (std::vector<std::string> names : {MappedNames(mapping_text), KnownNames(name)}) {
    if (!names.empty() && static_cast<int64_t>(names.size()) >= classes) return names;
  }
  std::vector<std::string> names;
  for (int64_t label = 0; label < classes; ++label) names.push_back(std::to_string(label));
  return names;
}

}  // namespace gridsweep
