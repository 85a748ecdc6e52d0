#include "common/results/table_formats.h"

#include "common/results/text_width.h"

namespace gridsweep {
namespace {

std::string MachineText(const Json& value) {
  if (value.is_null()) return "";
  if (value.is_number_float()) return fmt::format("{:.17g}", value.get<double>());
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::string TsvField(const Json& value) {
  std::string field;
  for (const char c : MachineText(value)) {
    switch (c) {
      case '\t':
        field += "\\t";
        break;
      case '\n':
        field += "\\n";
        break;
      case '\r':
        field += "\\r";
        break;
      case '\\':
        field += "\\\\";
        break;
      default:
        field += c;
    }
  }
  return field;
}

// What LaTeX prints `character` with: its own characters escaped, those outside of ASCII that tables use by name. Others that
// a plain pdflatex has no glyph for are named by their code point.
std::string LatexCharacter(const Character& of) {
  const std::string_view character = of.bytes;
  static constexpr std::pair<std::string_view, std::string_view> kNames[] = {{"\\", "\\textbackslash{}"},
                                                                             {"~", "\\textasciitilde{}"},
                                                                             {"^", "\\textasciicircum{}"},
                                                                             {"<", "\\textless{}"},
                                                                             {">", "\\textgreater{}"},
                                                                             {"|", "\\textbar{}"},
                                                                             {"\"", "\\textquotedbl{}"},
                                                                             {"±", "$\\pm$"},
                                                                             {"×", "$\\times$"},
                                                                             {"–", "--"},
                                                                             {"—", "---"},
                                                                             {"…", "\\ldots{}"},
                                                                             {"µ", "$\\mu$"},
                                                                             {"·", "$\\cdot$"},
                                                                             {"√", "$\\surd$"},
                                                                             {"²", "$^2$"},
                                                                             {"−", "$-$"},
                                                                             {"≤", "$\\le$"},
                                                                             {"≥", "$\\ge$"},
                                                                             {"→", "$\\to$"}};
  for (const auto& [from, to] : kNames) {
    if (character == from) return std::string(to);
  }
  if (character.size() == 1) {
    const bool special = std::string_view("&%$#_{}").find(character[0]) != std::string_view::npos;
    return (special ? "\\" : "") + std::string(character);
  }
  const char32_t code = of.code_point;
  // Latin letters with accents, which inputenc knows in every font encoding.
  if (code >= 0xC0 && code <= 0x17F && code != 0xD0 && code != 0xDE && code != 0xF0 && code != 0xFE)
    return std::string(character);
  return fmt::format("[U+{:04X}]", static_cast<uint32_t>(code));
}

std::string LatexField(const std::string& text) {
  std::string escaped;
  for (const Character& character : Characters(text)) escaped += LatexCharacter(character);
  return escaped;
}

template <typename Field>
std::string MachineLines(const Table& table, char separator, std::string_view line_end, Field field) {
  std::string result;
  const auto add_line = [&](const auto& value) {
    bool first = true;
    for (size_t c = 0; c < table.columns.size(); ++c) {
      if (table.columns[c].audience == Audience::kPeople) continue;
      if (!first) result += separator;
      first = false;
      result += field(value(c));
    }
    result += line_end;
  };
  add_line([&](size_t c) { return Json(table.columns[c].key); });
  for (const std::vector<Cell>& row : table.rows) add_line([&](size_t c) { return row[c].value; });
  return result;
}

}  // namespace

std::string_view OutputFormatName(OutputFormat format) {
  switch (format) {
    case OutputFormat::kTable:
      return "table";
    case OutputFormat::kCsv:
      return "csv";
    case OutputFormat::kTsv:
      return "tsv";
    case OutputFormat::kJson:
      return "json";
    case OutputFormat::kMarkdown:
      return "markdown";
    case OutputFormat::kLatex:
      return "latex";
  }
  return "";
}

absl::StatusOr<OutputFormat> ParseOutputFormat(std::string_view name) {
  for (const OutputFormat format : kAllOutputFormats) {
    if (OutputFormatName(format) == name) return format;
  }
  return InvalidArgument("unknown format '{}'; expected table, csv, tsv, json, markdown or latex", name);
}

std::string CsvField(const Json& value) {
  const std::string text = MachineText(value);
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

std::string RenderCsv(const Table& table) {
  return MachineLines(table, ',', "\r\n", CsvField);
}

std::string RenderTsv(const Table& table) {
  return MachineLines(table, '\t', "\n", TsvField);
}

Json TableToJson(const Table& table) {
  Json result = Json::array();
  for (const std::vector<Cell>& row : table.rows) {
    Json object = Json::object();
    for (size_t c = 0; c < table.columns.size(); ++c) {
      if (table.columns[c].audience != Audience::kPeople) object[table.columns[c].key] = row[c].value;
    }
    result.push_back(std::move(object));
  }
  return result;
}

std::string MarkdownText(const std::string& text) {
  std::string escaped;
  for (const char c : Printable(text)) {
    // Also what begins emphasis, links, code and HTML: a label is never markup.
    if (std::string_view("|\\`*_[]<>~").find(c) != std::string_view::npos) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::string RenderMarkdown(const Table& table) {
  const std::vector<PeoplesColumn> columns = ColumnsForPeople(table);
  std::string header = "|";
  std::string rule = "|";
  for (const PeoplesColumn& shown : columns) {
    header += " " + MarkdownText(shown.column->header) + " |";
    rule += shown.column->align == Align::kRight ? " ---: |" : " --- |";
  }
  std::string result = header + "\n" + rule + "\n";
  for (size_t r = 0; r < table.rows.size(); ++r) {
    result += "|";
    for (const PeoplesColumn& shown : columns) result += " " + MarkdownText(shown.cells[r]) + " |";
    result += "\n";
  }
  return result;
}

std::string RenderLatex(const Table& table) {
  const std::vector<PeoplesColumn> columns = ColumnsForPeople(table);
  std::string alignment;
  for (const PeoplesColumn& shown : columns) alignment += shown.column->align == Align::kRight ? 'r' : 'l';
  std::string result = "% needs \\usepackage{booktabs}\n\\begin{tabular}{" + alignment + "}\n\\toprule\n";
  const auto add_line = [&](const auto& text) {
    for (size_t c = 0; c < columns.size(); ++c) result += (c > 0 ? " & " : "") + LatexField(text(columns[c]));
    result += " \\\\\n";
  };
  add_line([](const PeoplesColumn& shown) { return shown.column->header; });
  result += "\\midrule\n";
  for (size_t r = 0; r < table.rows.size(); ++r)
    add_line([r](const PeoplesColumn& shown) { return shown.cells[r]; });
  return result + "\\bottomrule\n\\end{tabular}\n";
}

std::string Render(const Table& table, OutputFormat format, const Screen& screen) {
  switch (format) {
    case OutputFormat::kTable:
      return RenderTable(table, screen);
    case OutputFormat::kCsv:
      return RenderCsv(table);
    case OutputFormat::kTsv:
      return RenderTsv(table);
    case OutputFormat::kJson:
      return TableToJson(table).dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
    case OutputFormat::kMarkdown:
      return RenderMarkdown(table);
    case OutputFormat::kLatex:
      return RenderLatex(table);
  }
  return "";
}

}  // namespace gridsweep
