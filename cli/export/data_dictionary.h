// What the columns of the views mean, as docs/results-database.md says.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/json.h"

namespace gridsweep {

struct ColumnMeaning {
  std::string name;
  std::string type;  // INTEGER, REAL, TEXT
  std::string meaning;
};

// The columns that the document describes below the heading of `view`; empty if there is none.
std::vector<ColumnMeaning> ColumnsInDocument(std::string_view markdown, const std::string& view);
// Of the document that this program was built with.
std::vector<ColumnMeaning> DocumentedColumns(const std::string& view);

// A table of an export.
struct ExportedTable {
  std::string file;   // "jobs.csv"
  std::string about;  // one sentence
  std::vector<ColumnMeaning> columns;
  int64_t rows = 0;
};

// A data package descriptor (https://specs.frictionlessdata.io/tabular-data-package/).
Json DataPackage(const std::string& name, const std::string& title, const std::vector<ExportedTable>& tables);
// The same to read.
std::string DataDictionaryMarkdown(const std::string& title, const std::vector<ExportedTable>& tables);

}  // namespace gridsweep
