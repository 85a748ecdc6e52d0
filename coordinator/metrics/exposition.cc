#include "coordinator/metrics/exposition.h"

#include <cmath>

#include "common/base/status.h"

namespace gridsweep {
namespace {

std::string Escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '"') {
      out += "\\\"";
    } else if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

std::string Number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);  // reads back to the same bits
}

}  // namespace

void Exposition::Family(std::string_view name, std::string_view type, std::string_view help) {
  name_ = name;
  text_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

void Exposition::Sample(double value, const Labels& labels) {
  Line(name_, value, labels);
}

void Exposition::Single(std::string_view name, std::string_view type, std::string_view help, double value) {
  Family(name, type, help);
  Sample(value);
}

void Exposition::Add(std::string_view name, std::string_view help, const Histogram& histogram) {
  Family(name, "histogram", help);
  const Histogram::Snapshot seen = histogram.Take();
  const std::string bucket = fmt::format("{}_bucket", name);
  int64_t below = 0;
  for (size_t i = 0; i < seen.counts.size(); ++i) {
    below += seen.counts[i];
    Line(bucket, static_cast<double>(below),
         {{"le", i < Histogram::kBounds.size() ? Number(Histogram::kBounds[i]) : "+Inf"}});
  }
  Line(fmt::format("{}_sum", name), seen.sum, {});
  Line(fmt::format("{}_count", name), static_cast<double>(below), {});
}

void Exposition::Line(std::string_view name, double value, const Labels& labels) {
  text_ += name;
  for (size_t i = 0; i < labels.size(); ++i)
    text_ += fmt::format("{}{}=\"{}\"", i == 0 ? "{" : ",", labels[i].first, Escaped(labels[i].second));
  text_ += fmt::format("{} {}\n", labels.empty() ? "" : "}", Number(value));
}

}  // namespace gridsweep
