// A sweep's results as event files for TensorBoard.
#pragma once

#include <string>

#include "cli/context.h"
#include "cli/export/view_reader.h"

namespace gridsweep {

// Writes one run a job into `folder`, as ExportCsv does: scalars of every epoch (loss/train, accuracy/val, …, lr), and for the
// HParams dashboard the job's choices, its objective and its test accuracy at the epoch that counts. Seeds of a cell are one
// group there. Metrics that are not finite are written as such.
absl::Status ExportTensorboard(Client& client, const v1::SweepSummary& sweep,
                               const std::vector<ExportedJob>& jobs, const std::string& folder,
                               Context& context);

}  // namespace gridsweep
