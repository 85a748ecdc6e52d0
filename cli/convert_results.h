// The coordinator's answers as what common/results renders.
#pragma once

#include <vector>

#include "common/results/render_effects.h"
#include "common/results/render_job.h"
#include "common/results/render_lists.h"
#include "common/results/render_rank.h"
#include "gridsweep/v1/sweep_service.pb.h"

namespace gridsweep {

StateCounts FromProto(const v1::JobCounts& counts);
SweepLine FromProto(const v1::SweepSummary& sweep);
WorkerLine FromProto(const v1::WorkerSummary& worker);
JobLine FromProto(const v1::JobSummary& job);
JobReport FromProto(const v1::JobDetail& detail);
RankedTable FromProto(const v1::RankResponse& response, bool by_level);
EffectsReport FromProto(const v1::GetEffectsResponse& response);
Table FromProto(const v1::QueryResponse& response);

// The names of all axes, in the order of a job's labels.
std::vector<std::string> AllAxisNames();

}  // namespace gridsweep
