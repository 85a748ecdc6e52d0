// The large parts of a report, which are loaded when they are first looked at: packed as section.h has it. They name jobs and
// cells by their ids, so that they go with a report of another moment.
#pragma once

#include <cstdint>
#include <string>

#include "common/base/ids.h"
#include "coordinator/store/store_reader.h"

namespace gridsweep {

// Every metric of every epoch.
absl::StatusOr<std::string> BuildCurves(StoreReader& reader, SweepId sweep);
// The confusion matrices of the best `most` cells, summed over seeds.
absl::StatusOr<std::string> BuildConfusions(StoreReader& reader, SweepId sweep, int64_t most);
// The predictions of the best `most` cells on the sample of test images, and the images.
absl::StatusOr<std::string> BuildSamples(StoreReader& reader, SweepId sweep, int64_t most);

// Cells whose matrices and predictions a report holds.
inline constexpr int64_t kDetailedCells = 100;

}  // namespace gridsweep
