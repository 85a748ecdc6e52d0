#include "cli/output_flags.h"

namespace gridsweep {

void FormatFlag::Declare(CLI::App& app) {
  app.add_option_function<std::string>(
         "--format", [this](const std::string& name) { format = *ParseOutputFormat(name); },
         "How to print the result: table, csv, tsv, json, markdown or latex")
      ->check(CLI::Validator(
          [](const std::string& name) {
            const absl::StatusOr<OutputFormat> parsed = ParseOutputFormat(name);
            return parsed.ok() ? std::string() : Message(parsed.status());
          },
          ""))
      ->default_str("table")
      ->type_name("FORMAT");
}

void PrintTable(const Table& table, const FormatFlag& flag, const std::string& empty, Context& context) {
  if (table.rows.empty() && flag.format == OutputFormat::kTable) {
    *context.out.stream << empty << "\n";
  } else {
    *context.out.stream << Render(table, flag.format, context.out.screen);
  }
}

}  // namespace gridsweep
