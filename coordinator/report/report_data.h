// What the report and the live view show of a sweep, as dashboard/src/data/report.ts describes it.
#pragma once

#include "absl/time/time.h"
#include "common/base/ids.h"
#include "common/base/json.h"
#include "coordinator/store/store_reader.h"

namespace gridsweep {

// The Report: everything but the sections (report_sections.h), which are loaded later. `live`: it is of a view that goes on.
absl::StatusOr<Json> BuildReport(StoreReader& reader, SweepId sweep, absl::Time now, bool live);

}  // namespace gridsweep
