// A listing as text that other programs read, or that goes into a paper.
#pragma once

#include <string>
#include <string_view>

#include "common/base/json.h"
#include "common/base/status.h"
#include "common/results/table.h"

namespace gridsweep {

enum class OutputFormat { kTable, kCsv, kTsv, kJson, kMarkdown, kLatex };
inline constexpr OutputFormat kAllOutputFormats[] = {OutputFormat::kTable,    OutputFormat::kCsv,
                                                     OutputFormat::kTsv,      OutputFormat::kJson,
                                                     OutputFormat::kMarkdown, OutputFormat::kLatex};
std::string_view OutputFormatName(OutputFormat format);  // "table", "csv", "tsv", "json", "markdown", "latex"
// Returns INVALID_ARGUMENT listing the formats.
absl::StatusOr<OutputFormat> ParseOutputFormat(std::string_view name);

// The columns for machines, doubles with 17 significant digits, so that they read back to the same bits.
//
// By RFC 4180: lines end in CR LF, fields with commas, quotes or line ends are quoted.
std::string RenderCsv(const Table& table);
// Lines end in LF; tabs, line ends and backslashes within a field are written \t, \n, \r and \\.
std::string RenderTsv(const Table& table);
// An array of objects.
Json TableToJson(const Table& table);

// The columns for people.
std::string RenderMarkdown(const Table& table);
// A text in which nothing is markup.
std::string MarkdownText(const std::string& text);
// A tabular environment that needs \usepackage{booktabs}, as a first line says.
std::string RenderLatex(const Table& table);

// One field as RenderCsv writes it.
std::string CsvField(const Json& value);

// Any of them; JSON is indented and ends in a newline.
std::string Render(const Table& table, OutputFormat format, const Screen& screen);

}  // namespace gridsweep
