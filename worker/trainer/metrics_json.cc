#include "worker/trainer/metrics_json.h"

#include <limits>
#include <utility>

namespace gridsweep {
namespace {

// The numbers that every epoch has.
constexpr std::pair<const char*, double EpochMetrics::*> kNumbers[] = {
    {"train_loss", &EpochMetrics::train_loss},
    {"train_accuracy", &EpochMetrics::train_accuracy},
    {"test_loss", &EpochMetrics::test_loss},
    {"test_accuracy", &EpochMetrics::test_accuracy},
    {"lr", &EpochMetrics::lr},
    {"seconds", &EpochMetrics::seconds},
    {"samples_per_second", &EpochMetrics::samples_per_second}};
constexpr std::pair<const char*, std::optional<double> EpochMetrics::*> kOptionalNumbers[] = {
    {"val_loss", &EpochMetrics::val_loss}, {"val_accuracy", &EpochMetrics::val_accuracy}};

absl::StatusOr<int64_t> Count(const Json& json, const char* key) {
  GS_ASSIGN_OR_RETURN(const Json value, GetField<Json>(json, key));
  if (!value.is_number_integer() || value > std::numeric_limits<int64_t>::max() || value < 1)
    return InvalidArgument("field \"{}\" is no positive whole number", key);
  return value.get<int64_t>();
}

absl::StatusOr<double> Number(const Json& json, const char* key) {
  GS_ASSIGN_OR_RETURN(const Json value, GetField<Json>(json, key));
  const std::optional<double> number = NumberFromJson(value);
  if (!number) return InvalidArgument("field \"{}\" is no number", key);
  return *number;
}

}  // namespace

Json MetricsToJson(const EpochMetrics& metrics) {
  Json json = {{"epoch", metrics.epoch}, {"shared_by", metrics.shared_by}};
  for (const auto& [key, member] : kNumbers) json[key] = NumberToJson(metrics.*member);
  for (const auto& [key, member] : kOptionalNumbers) {
    if (metrics.*member) json[key] = NumberToJson(*(metrics.*member));
  }
  return json;
}

absl::StatusOr<EpochMetrics> MetricsFromJson(const Json& json) {
  EpochMetrics metrics;
  GS_ASSIGN_OR_RETURN(metrics.epoch, Count(json, "epoch"));
  GS_ASSIGN_OR_RETURN(metrics.shared_by, Count(json, "shared_by"));
  for (const auto& [key, member] : kNumbers) {
    GS_ASSIGN_OR_RETURN(metrics.*member, Number(json, key));
  }
  for (const auto& [key, member] : kOptionalNumbers) {
    if (!json.contains(key)) continue;
    GS_ASSIGN_OR_RETURN(metrics.*member, Number(json, key));
  }
  return metrics;
}

}  // namespace gridsweep
