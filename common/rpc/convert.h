// Messages ⇄ domain types, written once.
#pragma once

#include "common/base/status.h"
#include "common/job/job_state.h"
#include "common/job/metrics.h"
#include "gridsweep/v1/types.pb.h"

namespace gridsweep {

v1::JobState ToProto(JobState state);
v1::EpochMetrics ToProto(const EpochMetrics& epoch);
v1::DatasetInfo ToProto(const DatasetInfo& dataset);
v1::Evaluation ToProto(const Evaluation& evaluation);

// Returns INVALID_ARGUMENT for an unknown state.
absl::StatusOr<JobState> FromProto(v1::JobState state);
EpochMetrics FromProto(const v1::EpochMetrics& epoch);
DatasetInfo FromProto(const v1::DatasetInfo& dataset);
Evaluation FromProto(const v1::Evaluation& evaluation);

}  // namespace gridsweep
