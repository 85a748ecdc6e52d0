// --format and --no-times, the same for every listing.
#pragma once

#include <string>

#include "cli/context.h"
#include "common/base/command_line.h"
#include "common/results/table_formats.h"

namespace gridsweep {

struct FormatFlag {
  OutputFormat format = OutputFormat::kTable;

  void Declare(CLI::App& app);
};

// Prints a table in the chosen format to standard output; for people, `empty` if it has no rows.
void PrintTable(const Table& table, const FormatFlag& flag, const std::string& empty, Context& context);

}  // namespace gridsweep
