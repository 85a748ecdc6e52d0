// What the report and the live view show of a sweep, as dashboard/src/data/report.ts describes it.
#pragma once

#include <string>

#include "absl/time/time.h"
#include "common/base/ids.h"
#include "common/base/json.h"
#include "coordinator/store/store_reader.h"

namespace gridsweep {

// The Report: everything but what is loaded later. `live`: it is of a view that goes on.
absl::StatusOr<Json> BuildReport(StoreReader& reader, SweepId sweep, absl::Time now, bool live);

// The sections, packed (section.h). They name jobs and cells by their ids, so that they go with a report of another moment.
absl::StatusOr<std::string> BuildCurves(StoreReader& reader, SweepId sweep);
// Of the best `most` cells.
absl::StatusOr<std::string> BuildConfusions(StoreReader& reader, SweepId sweep, int64_t most);
absl::StatusOr<std::string> BuildSamples(StoreReader& reader, SweepId sweep, int64_t most);

// Cells whose matrices and predictions a report holds.
inline constexpr int64_t kDetailedCells = 100;

}  // namespace gridsweep
