// Numbers as people read them in tables: three significant digits, and more only where an uncertainty is smaller than the
// last of them. Data formats (csv, json, …) keep full precision.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gridsweep {

// Whether a metric's values are shares of one, shown as percent: "val_accuracy" is, "val_loss" is not.
bool IsAccuracy(std::string_view metric);

// 0.84987 → "85.0 %".
std::string FormatAccuracy(double value);
// "0.451", "1.23", "1.23e-06".
std::string FormatLoss(double value);
// FormatAccuracy or FormatLoss, by the metric's name.
std::string FormatMetric(std::string_view metric, double value);
// "85.0 ± 0.2 %", "84.99 ± 0.03 %", "0.451 ± 0.002": mean and half width with the same decimals.
std::string FormatInterval(std::string_view metric, double mean, double half_width);
// How far something is behind, in the metric's unit, percentage points for accuracies: "0.420 ± 0.310 pp", "1.2 ± 13.4 pp",
// "0.0120 ± 0.0021", without "± …" where there is no half width. The larger of the two has the three digits.
std::string FormatGap(std::string_view metric, double gap, std::optional<double> half_width);
// A share of one, in percent with three significant digits: "43.2 %", "5.31 %", "0.0213 %".
std::string FormatShare(double share);
// A probability that is known to a percent: "38 %", "<1 %", ">99 %".
std::string FormatProbability(double probability);
// A p value: "0.38", "0.012", "<0.001".
std::string FormatPValue(double p);
// A learning rate or another free number, at most four significant digits: "0.001", "2.5e-05".
std::string FormatPlain(double value);
// "3", or one decimal if it is not whole: "8.7".
std::string FormatMeanCount(double value);
// Three significant digits, at most milliseconds and at least whole seconds: "0.520", "12.3", "1234".
std::string FormatSeconds(double seconds);
// For people: "0.5 s", "7 s", "42 s", "3 min 05 s", "2 h 07 min", "3 d 04 h".
std::string FormatDuration(double seconds);
// "535.7 MiB".
std::string FormatBytes(int64_t bytes);
// "1 cell", "1,234 cells".
std::string Plural(int64_t count, std::string_view noun);
// A mean with its interval, if there is one.
std::string FormatMean(std::string_view metric, double mean, std::optional<double> half_width);
// In groups of three: 1234567 → "1,234,567".
std::string FormatCount(int64_t count);

}  // namespace gridsweep
