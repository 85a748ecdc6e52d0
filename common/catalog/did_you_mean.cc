#include <algorithm>
#include <cctype>
#include <string>
#include <string_view>
#include <vector>

#include "common/catalog/catalog.h"

namespace gridsweep {
namespace {

// Longer than any name of ours can be mistyped to; bounds the quadratic work.
constexpr size_t kMaxLength = 64;

// Spellings that people mix up count as equal: case, and "-", " " or nothing for "_".
std::string Fold(std::string_view name) {
  std::string folded;
  for (const char c : name) {
    if (c == '_' || c == '-' || c == ' ') continue;
    folded += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return folded;
}

// "learning_rate" → "lr".
std::string Initials(std::string_view name) {
  std::string initials;
  for (size_t i = 0; i < name.size(); ++i) {
    if (i == 0 || name[i - 1] == '_') initials += name[i];
  }
  return initials;
}

// Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours.
size_t EditDistance(const std::string& a, const std::string& b) {
  std::vector<size_t> before(b.size() + 1), previous(b.size() + 1), current(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) previous[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t cost = a[i - 1] == b[j - 1] ? 0 : 1;
      current[j] = std::min({previous[j] + 1, current[j - 1] + 1, previous[j - 1] + cost});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        current[j] = std::min(current[j], before[j - 2] + 1);
      }
    }
    before.swap(previous);
    previous.swap(current);
  }
  return previous[b.size()];
}

}  // namespace

std::string DidYouMean(std::string_view name, const std::vector<std::string>& candidates) {
  if (name.size() > kMaxLength) return "";
  const std::string folded = Fold(name);
  if (folded.empty()) return "";
  std::string best;
  // A third of the letters may be wrong, but never all of a short name.
  size_t best_distance = folded.size() <= 2 ? 1 : 1 + std::max<size_t>(1, folded.size() / 3);
  for (const std::string& candidate : candidates) {
    const size_t distance = EditDistance(folded, Fold(candidate));
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  if (!best.empty()) return best;
  for (const std::string& candidate : candidates) {
    if (folded.size() >= 3 && Fold(candidate).starts_with(folded)) return candidate;
    if (name.find('_') != std::string_view::npos && Initials(name) == candidate) return candidate;
  }
  return "";
}

}  // namespace gridsweep
