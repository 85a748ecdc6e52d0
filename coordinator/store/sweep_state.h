// Reading a sweep's state from its column.
#pragma once

#include <string_view>

#include "coordinator/store/store.h"

namespace gridsweep {

// The inverse of SweepStateName. DATA_LOSS for a name that the schema does not allow.
absl::StatusOr<SweepState> ParseSweepState(std::string_view name);

}  // namespace gridsweep
