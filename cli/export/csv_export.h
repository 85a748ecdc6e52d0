// A sweep's results as CSV files with a data dictionary.
#pragma once

#include <string>

#include "cli/context.h"
#include "cli/export/view_reader.h"

namespace gridsweep {

// Writes jobs.csv, epochs.csv, confusions.csv, predictions.csv, ranking.csv, datapackage.json and README.md into `folder`, which
// must not exist yet or be empty: it appears when everything is written, or not at all. ALREADY_EXISTS if it holds something.
// CANCELLED if the user asks to stop.
absl::Status ExportCsv(Client& client, const v1::SweepSummary& sweep, const std::vector<ExportedJob>& jobs,
                       const std::string& folder, Context& context);

}  // namespace gridsweep
