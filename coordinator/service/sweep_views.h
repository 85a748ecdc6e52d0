// Records of the store → messages for users.
#pragma once

#include <string>
#include <vector>

#include "common/results/effects.h"
#include "common/results/labels.h"
#include "common/results/ranking.h"
#include "coordinator/store/store_reader.h"
#include "gridsweep/v1/sweep_service.pb.h"

namespace gridsweep {

// Which axes take more than one value in a sweep, and the one value of the others.
struct AxisUse {
  std::vector<size_t> varying;         // indices in axis order
  std::vector<std::string> constants;  // "optimizer = adam"
  LabelShortener shortener;
  // "cnn relu sgd(lr=0.05)": the varying labels of a cell without parameters that are the same in the whole sweep, or its
  // model where nothing varies.
  std::string ShortLabel(const std::vector<std::string>& labels) const;
};
// `levels`: the distinct labels of each axis, in axis order.
AxisUse FindAxisUse(const std::vector<std::vector<std::string>>& levels);

v1::SweepSummary ToProto(const SweepRecord& record);
v1::JobCounts ToProto(const StateCounts& counts);
v1::JobSummary ToProto(const JobRecord& record);
v1::AttemptSummary ToProto(const AttemptRecord& record);
v1::ModelSummary ToProto(const ModelRecord& record);
v1::WorkerSummary ToProto(const WorkerStatusRecord& record);
v1::RankedRow ToProto(const RankedRow& row, const std::vector<size_t>& columns);
v1::Difference ToProto(const Difference& difference);
v1::EffectTerm ToProto(const EffectTerm& term);
v1::EffectLevel ToProto(const EffectLevel& level);
v1::QueryResponse ToProto(const QueryResult& result);

}  // namespace gridsweep
