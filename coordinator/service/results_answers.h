// Answers about results: the ranked table and what each axis contributes. Reads only.
#pragma once

#include "common/base/ids.h"
#include "common/results/effects.h"
#include "coordinator/store/store_reader.h"
#include "gridsweep/v1/sweep_service.pb.h"

namespace gridsweep {

absl::StatusOr<v1::RankResponse> AnswerRank(StoreReader& reader, SweepId sweep,
                                            const v1::RankRequest& request);
absl::StatusOr<v1::GetEffectsResponse> AnswerEffects(StoreReader& reader, SweepId sweep);

// What AnalyzeEffects takes: all cells, with the labels of all five axes.
absl::StatusOr<EffectsInput> ReadEffectsInput(StoreReader& reader, const SweepRecord& sweep);

}  // namespace gridsweep
