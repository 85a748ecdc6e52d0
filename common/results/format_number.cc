#include "common/results/format_number.h"

#include <algorithm>
#include <cmath>

#include "common/base/status.h"

namespace gridsweep {
namespace {

// Decimals that show four significant digits of `value`; -1 where only the exponent form reads well.
int LossDecimals(double value) {
  const double magnitude = std::abs(value);
  if (magnitude == 0) return 4;
  if (magnitude < 1e-3 || magnitude >= 1e6) return -1;
  return std::clamp(3 - static_cast<int>(std::floor(std::log10(magnitude))), 0, 6);
}

}  // namespace

bool IsAccuracy(std::string_view metric) {
  return metric.ends_with("accuracy");
}

std::string FormatAccuracy(double value) {
  if (!std::isfinite(value)) return fmt::format("{}", value);
  return fmt::format("{:.2f} %", value * 100);
}

std::string FormatLoss(double value) {
  if (!std::isfinite(value)) return fmt::format("{}", value);
  const int decimals = LossDecimals(value);
  return decimals < 0 ? fmt::format("{:.3e}", value) : fmt::format("{:.{}f}", value, decimals);
}

std::string FormatMetric(std::string_view metric, double value) {
  return IsAccuracy(metric) ? FormatAccuracy(value) : FormatLoss(value);
}

std::string FormatInterval(std::string_view metric, double mean, double half_width) {
  if (!std::isfinite(mean) || !std::isfinite(half_width)) return FormatMetric(metric, mean);
  if (IsAccuracy(metric)) return fmt::format("{:.2f} ± {:.2f} %", mean * 100, half_width * 100);
  const int decimals = LossDecimals(mean);
  if (decimals < 0) return fmt::format("{:.3e} ± {:.1e}", mean, half_width);
  return fmt::format("{:.{}f} ± {:.{}f}", mean, decimals, half_width, decimals);
}

std::string FormatGap(std::string_view metric, double gap, std::optional<double> half_width) {
  const double unit = IsAccuracy(metric) ? 100 : 1;
  const std::string_view suffix = IsAccuracy(metric) ? " pp" : "";
  const double value = gap * unit;
  // As many decimals as the half width needs for two digits, or the value for three.
  const double least = half_width ? *half_width * unit : value;
  const int digits = half_width ? 2 : 3;
  const int decimals =
      least == 0 || !std::isfinite(least)
          ? 2
          : std::clamp(digits - 1 - static_cast<int>(std::floor(std::log10(std::abs(least)))), 0, 6);
  if (!half_width) return fmt::format("{:.{}f}{}", value, decimals, suffix);
  return fmt::format("{:.{}f} ± {:.{}f}{}", value, decimals, *half_width * unit, decimals, suffix);
}

std::string FormatShare(double share) {
  const double percent = share * 100;
  if (!std::isfinite(percent)) return "?";
  if (percent == 0) return "0 %";
  const int decimals = std::clamp(2 - static_cast<int>(std::floor(std::log10(std::abs(percent)))), 0, 4);
  if (std::abs(percent) < 0.0005) return "<0.001 %";
  return fmt::format("{:.{}f} %", percent, decimals);
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
  if (seconds < 9.995) return fmt::format("{:.2f}", seconds);
  if (seconds < 99.95) return fmt::format("{:.1f}", seconds);
  return fmt::format("{:.0f}", seconds);
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
