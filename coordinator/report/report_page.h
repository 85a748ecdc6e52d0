// The report as one HTML file, and the page of the live view.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "common/base/ids.h"
#include "coordinator/store/store_reader.h"

namespace gridsweep {

// The app, built from dashboard/ and embedded in this program. FAILED_PRECONDITION, saying what to install, if it was built without
// npm.
absl::StatusOr<std::string_view> DashboardPage();

// Gives `take` the file in pieces, in order; an error of it ends it. The page holds everything: it needs no network.
absl::Status WriteReport(StoreReader& reader, SweepId sweep, absl::Time now,
                         const std::function<absl::Status(std::string_view)>& take);

}  // namespace gridsweep
