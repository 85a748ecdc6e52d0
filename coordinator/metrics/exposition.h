// Prometheus' text format, version 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "coordinator/metrics/histogram.h"

namespace gridsweep {

// Families one after the other, each with all of its samples. Not thread-safe.
class Exposition {
 public:
  using Labels = std::vector<std::pair<std::string_view, std::string_view>>;

  // Begins a family. `type`: counter or gauge.
  void Family(std::string_view name, std::string_view type, std::string_view help);
  // A sample of the family.
  void Sample(double value, const Labels& labels = {});
  // A family with one sample.
  void Single(std::string_view name, std::string_view type, std::string_view help, double value);
  void Add(std::string_view name, std::string_view help, const Histogram& histogram);

  const std::string& text() const { return text_; }

 private:
  void Line(std::string_view name, double value, const Labels& labels);

  std::string name_;
  std::string text_;
};

}  // namespace gridsweep
