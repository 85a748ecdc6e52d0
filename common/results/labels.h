// Component labels made short for narrow tables without making two of them look alike.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace gridsweep {

// Knows which parameters never vary. Made from labels like "sgd(lr=0.05, momentum=0.9)" or "l2(0.0001)+dropout(0.3)", of
// one axis or several: a component belongs to one axis.
class LabelShortener {
 public:
  explicit LabelShortener(const std::vector<std::string>& labels);

  // `label` without the parameters that are the same wherever their component appears in the labels this was made from;
  // two of those that differ stay different. Also labels of several axes, a space between them.
  std::string Shorten(const std::string& label) const;
  // What is left out, e.g. "sgd: momentum=0.9"; sorted.
  const std::vector<std::string>& legend() const { return legend_; }

 private:
  std::map<std::string, std::vector<std::string>> dropped_;  // by component
  std::vector<std::string> legend_;
};

}  // namespace gridsweep
