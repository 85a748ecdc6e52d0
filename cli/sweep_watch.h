// Following a sweep to its end, and the ranked table afterwards.
#pragma once

#include <functional>
#include <string>

#include "cli/client.h"
#include "cli/context.h"
#include "cli/progress.h"
#include "common/results/render_rank.h"

namespace gridsweep {

// No job is pending or running.
bool HasEnded(const v1::SweepSummary& sweep);

// Shows progress until no job is pending or running, or the user asks to stop. `each_round` runs before every look, e.g.
// to supervise children; its error ends the watch. A coordinator that is away is waited for, up to `patience`.
// Returns the last status seen.
absl::StatusOr<v1::SweepStatus> WatchSweep(Client& client, const std::string& sweep, Context& context,
                                           ProgressDisplay& display, absl::Duration patience,
                                           const std::function<absl::Status()>& each_round);

// Prints the ranked table of `sweep` in `format`.
absl::Status PrintRanking(Client& client, const v1::RankRequest& request, OutputFormat format,
                          const RankOptions& options, Context& context);

// 1 if jobs failed or were cancelled, so that the table is not complete; else 0.
int SweepExitCode(const v1::SweepSummary& sweep);

}  // namespace gridsweep
