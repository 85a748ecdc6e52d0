#include "common/results/format_number.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/base/status.h"

namespace gridsweep {
namespace {

constexpr int kDigits = 3;
constexpr double kNoise = 1e-12;

// The power of ten of the first digit of `value` rounded to `digits` digits: 9.996 rounds to 10.0, whose first digit counts tens.
int Exponent(double value, int digits) {
  const std::string text = fmt::format("{:.{}e}", value, digits - 1);
  return std::stoi(text.substr(text.find('e') + 1));
}

// Decimals that show `digits` significant digits of `value`.
int Decimals(double value, int digits) {
  return value == 0 ? 0 : std::max(0, digits - 1 - Exponent(value, digits));
}

// Where only the exponent form reads well.
bool NeedsExponent(double value) {
  return value != 0 && (std::abs(value) < 1e-3 || std::abs(value) >= 1e6);
}

// Without the sign of a value that rounds to zero. Halves, as decimals have them, are rounded away from zero though their double
// may be a little below: 0.8105 is 81.1 %. The report's page computes the same (dashboard/src/format/number.ts).
std::string Fixed(double value, int decimals) {
  const double beyond_half = value * (1 + std::numeric_limits<double>::epsilon());
  std::string text = fmt::format("{:.{}f}", beyond_half, decimals);
  if (text.starts_with('-') && text.find_first_not_of("-0.") == std::string::npos) text.erase(0, 1);
  return text;
}

std::string ThreeDigits(double value) {
  return Fixed(value, Decimals(value, kDigits));
}

// "84.9 ± 1.2", "84.93 ± 0.04": the larger of the two has three significant digits, or as many more as the half width needs
// to show its first; both end at the same decimal.
std::string WithHalfWidth(double value, double half_width) {
  const double larger = std::max(std::abs(value), std::abs(half_width));
  // Equal values have a deviation of a few rounding errors, which no digits are spent on.
  if (std::abs(half_width) < kNoise * std::abs(value)) half_width = 0;
  if (NeedsExponent(larger)) return fmt::format("{:.2e} ± {:.0e}", value, half_width);
  const int decimals = std::max(Decimals(larger, kDigits), std::min(Decimals(half_width, 1), 6));
  return Fixed(value, decimals) + " ± " + Fixed(half_width, decimals);
}

double UnitOf(std::string_view metric) {
  return IsAccuracy(metric) ? 100 : 1;
}

}  // namespace

bool IsAccuracy(std::string_view metric) {
  return metric.ends_with("accuracy");
}

std::string FormatAccuracy(double value) {
  if (!std::isfinite(value)) return fmt::format("{}", value);
  return ThreeDigits(value * 100) + " %";
}

std::string FormatLoss(double value) {
  if (!std::isfinite(value)) return fmt::format("{}", value);
  return NeedsExponent(value) ? fmt::format("{:.2e}", value) : ThreeDigits(value);
}

std::string FormatMetric(std::string_view metric, double value) {
  return IsAccuracy(metric) ? FormatAccuracy(value) : FormatLoss(value);
}

std::string FormatInterval(std::string_view metric, double mean, double half_width) {
  if (!std::isfinite(mean) || !std::isfinite(half_width)) return FormatMetric(metric, mean);
  return WithHalfWidth(mean * UnitOf(metric), half_width * UnitOf(metric)) + (IsAccuracy(metric) ? " %" : "");
}

std::string FormatGap(std::string_view metric, double gap, std::optional<double> half_width) {
  const double value = gap * UnitOf(metric);
  const std::string_view suffix = IsAccuracy(metric) ? " pp" : "";
  if (!std::isfinite(value)) return fmt::format("{}", value);
  if (half_width && std::isfinite(*half_width)) {
    return WithHalfWidth(value, *half_width * UnitOf(metric)) + std::string(suffix);
  }
  return Fixed(value, std::min(Decimals(value, kDigits), 6)) + std::string(suffix);
}

std::string FormatShare(double share) {
  const double percent = share * 100;
  if (!std::isfinite(percent)) return "?";
  if (percent == 0) return "0 %";
  if (std::abs(percent) < 0.0005) return "<0.001 %";
  return Fixed(percent, std::min(Decimals(percent, kDigits), 4)) + " %";
}

std::string FormatProbability(double probability) {
  if (probability > 0 && probability < 0.005) return "<1 %";
  if (probability < 1 && probability > 0.995) return ">99 %";
  return fmt::format("{:.0f} %", probability * 100);
}

std::string FormatPValue(double p) {
  if (p < 0.001) return "<0.001";
  return p < 0.0995 ? fmt::format("{:.3f}", p) : fmt::format("{:.2f}", p);
}

std::string FormatPlain(double value) {
  return fmt::format("{:.4g}", value);
}

std::string FormatMeanCount(double value) {
  return value == std::floor(value) ? fmt::format("{:.0f}", value) : fmt::format("{:.1f}", value);
}

std::string FormatSeconds(double seconds) {
  if (!std::isfinite(seconds)) return fmt::format("{}", seconds);
  return Fixed(seconds, std::min(Decimals(seconds, kDigits), 3));
}

std::string FormatDuration(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0) return "?";
  if (seconds < 9.95 && seconds != std::floor(seconds)) return fmt::format("{:.1f} s", seconds);
  const int64_t whole = std::llround(std::min(seconds, 1e15));
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  const int64_t minutes = (whole + 30) / 60;
  if (minutes < 48 * 60) return fmt::format("{} h {:02} min", minutes / 60, minutes % 60);
  const int64_t hours = (minutes + 30) / 60;
  return fmt::format("{} d {:02} h", hours / 24, hours % 24);
}

std::string FormatBytes(int64_t bytes) {
  constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes);
  int unit = 0;
  while (value >= 1023.95 && unit < 4) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string FormatCount(int64_t count) {
  std::string digits = fmt::format("{}", count);
  const int64_t first = count < 0 ? 1 : 0;
  for (int64_t at = static_cast<int64_t>(digits.size()) - 3; at > first; at -= 3) {
    digits.insert(static_cast<size_t>(at), ",");
  }
  return digits;
}

std::string Plural(int64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", FormatCount(count), noun, count == 1 ? "" : "s");
}

std::string FormatMean(std::string_view metric, double mean, std::optional<double> half_width) {
  return half_width ? FormatInterval(metric, mean, *half_width) : FormatMetric(metric, mean);
}

}  // namespace gridsweep
