// A sweep's report on disk.
#pragma once

#include <string>

#include "cli/client.h"
#include "cli/context.h"

namespace gridsweep {

// Writes the report to `path`, whole or not at all. Returns its size in bytes. ALREADY_EXISTS unless `replace`; CANCELLED if the
// user asks to stop.
absl::StatusOr<int64_t> WriteReportFile(Client& client, const std::string& sweep, const std::string& path,
                                        bool replace, Context& context);

}  // namespace gridsweep
