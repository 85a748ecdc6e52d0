#include "cli/export/data_dictionary.h"

#include "common/base/status.h"

namespace gridsweep {
namespace embedded {
extern const std::string_view kResultsDatabase;
}

namespace {

std::string_view Trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// "| `job` | INTEGER | id |" → its three fields; nothing for another line.
std::vector<std::string_view> Fields(std::string_view line) {
  std::vector<std::string_view> fields;
  if (!line.starts_with("| `")) return fields;
  line.remove_prefix(1);
  // The meaning may hold a bar only escaped, which the document does not do.
  while (!line.empty()) {
    const size_t bar = line.find('|');
    fields.push_back(Trimmed(line.substr(0, bar)));
    line.remove_prefix(bar == std::string_view::npos ? line.size() : bar + 1);
  }
  return fields;
}

std::string PackageType(const std::string& type) {
  if (type == "INTEGER") return "integer";
  if (type == "REAL") return "number";
  return "string";
}

}  // namespace

std::vector<ColumnMeaning> ColumnsInDocument(std::string_view markdown, const std::string& view) {
  std::vector<ColumnMeaning> columns;
  const size_t heading = markdown.find("\n### " + view + "\n");
  if (heading == std::string_view::npos) return columns;
  markdown.remove_prefix(heading + 1);
  markdown = markdown.substr(0, markdown.find("\n### ", 1));
  while (!markdown.empty()) {
    const size_t end = markdown.find('\n');
    const std::vector<std::string_view> fields = Fields(markdown.substr(0, end));
    if (fields.size() >= 3) {
      const std::string_view name = fields[0].substr(1, fields[0].size() - 2);  // without the backquotes
      columns.push_back({std::string(name), std::string(fields[1]), std::string(fields[2])});
    }
    markdown.remove_prefix(end == std::string_view::npos ? markdown.size() : end + 1);
  }
  return columns;
}

std::vector<ColumnMeaning> DocumentedColumns(const std::string& view) {
  return ColumnsInDocument(embedded::kResultsDatabase, view);
}

Json DataPackage(const std::string& name, const std::string& title,
                 const std::vector<ExportedTable>& tables) {
  Json resources = Json::array();
  for (const ExportedTable& table : tables) {
    Json fields = Json::array();
    for (const ColumnMeaning& column : table.columns)
      fields.push_back(
          {{"name", column.name}, {"type", PackageType(column.type)}, {"description", column.meaning}});
    resources.push_back({{"name", table.file.substr(0, table.file.find('.'))},
                         {"path", table.file},
                         {"profile", "tabular-data-resource"},
                         {"description", table.about},
                         {"encoding", "utf-8"},
                         {"dialect", {{"delimiter", ","}, {"lineTerminator", "\r\n"}}},
                         {"schema", {{"fields", fields}, {"missingValues", {""}}}}});
  }
  return {{"name", name}, {"title", title}, {"profile", "tabular-data-package"}, {"resources", resources}};
}

std::string DataDictionaryMarkdown(const std::string& title, const std::vector<ExportedTable>& tables) {
  std::string text =
      "# " + title +
      "\n\nComma-separated values by RFC 4180, UTF-8, with a header line; numbers have all their digits. An empty "
      "field is a value that\ndoes not exist or is not finite. `datapackage.json` says the same for programs.\n";
  for (const ExportedTable& table : tables) {
    text += fmt::format("\n## {}\n\n{} {} rows.\n\n| column | type | meaning |\n|---|---|---|\n", table.file,
                        table.about, table.rows);
    for (const ColumnMeaning& column : table.columns)
      text += fmt::format("| `{}` | {} | {} |\n", column.name, column.type, column.meaning);
  }
  return text;
}

}  // namespace gridsweep
