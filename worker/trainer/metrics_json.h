// Metrics as the protocol and the checkpoints write them. Free of LibTorch.
#pragma once

#include "common/base/json.h"
#include "common/job/metrics.h"

namespace gridsweep {

// {"epoch":1,"train_loss":…,…}; the fields of an `epoch` event.
Json MetricsToJson(const EpochMetrics& metrics);
// Returns INVALID_ARGUMENT naming the field that is missing or wrong.
absl::StatusOr<EpochMetrics> MetricsFromJson(const Json& json);

}  // namespace gridsweep
