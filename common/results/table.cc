#include "common/results/table.h"

#include <algorithm>
#include <cmath>

#include "common/results/text_width.h"

namespace gridsweep {
namespace {

constexpr int kGap = 2;
// What is left of a shortened header.
constexpr int kMinHeader = 6;

// A column chosen for display, with its cells ready to print.
struct Shown {
  const Column* column;
  std::vector<std::string> cells;
  int cells_width = 0;  // of the widest cell
  int natural = 0;
  int width = 0;
};

std::vector<Shown> ForPeople(const Table& table) {
  std::vector<Shown> shown;
  for (size_t c = 0; c < table.columns.size(); ++c) {
    const Column& column = table.columns[c];
    if (column.audience == Audience::kMachines) continue;
    Shown next{.column = &column};
    bool empty = true;
    for (const std::vector<Cell>& row : table.rows) {
      next.cells.push_back(Printable(row[c].text));
      next.cells_width = std::max(next.cells_width, DisplayWidth(next.cells.back()));
      empty = empty && next.cells.back().empty();
    }
    next.natural = std::max(next.cells_width, DisplayWidth(column.header));
    next.width = next.natural;
    // An empty listing keeps its header, so that one sees what would be there.
    if (!empty || column.keep_empty || table.rows.empty()) shown.push_back(std::move(next));
  }
  return shown;
}

int TotalWidth(const std::vector<Shown>& columns) {
  int total = 0;
  for (const Shown& shown : columns) total += shown.width + kGap;
  return std::max(0, total - kGap);
}

int LeastWidth(const Shown& shown) {
  return shown.column->min_width == 0 ? shown.natural : std::min(shown.natural, shown.column->min_width);
}

// With whole cells; only the header may be shortened.
int UncutWidth(const Shown& shown) {
  if (shown.column->min_width == 0) return shown.natural;
  return std::min(shown.natural, std::max({shown.cells_width, kMinHeader, shown.column->min_width}));
}

int ComfortableWidth(const Shown& shown) {
  if (shown.column->min_width == 0) return shown.natural;
  const int cells = std::min(shown.cells_width, shown.column->comfortable_width);
  return std::min(shown.natural, std::max({cells, kMinHeader, shown.column->min_width}));
}

// Takes from the widest column that is above its floor, one at a time, until `width` is met: short labels stay whole the
// longest.
void Shrink(std::vector<Shown>& columns, int width, int (*floor)(const Shown&)) {
  while (TotalWidth(columns) > width) {
    Shown* widest = nullptr;
    for (Shown& shown : columns) {
      if (shown.width > floor(shown) && (widest == nullptr || shown.width > widest->width)) widest = &shown;
    }
    if (widest == nullptr) return;
    --widest->width;
  }
}

// Leaves out the least important columns of those that `may_go`, one at a time, until all fit when each is as wide as
// `want` says.
void LeaveOut(std::vector<Shown>& columns, int width, int (*want)(const Shown&),
              bool (*may_go)(const Column&)) {
  const auto total = [&] {
    int sum = -kGap;
    for (const Shown& shown : columns) sum += want(shown) + kGap;
    return sum;
  };
  const auto rank = [&](const Shown& shown) { return may_go(*shown.column) ? shown.column->priority : 0; };
  while (total() > width) {
    const auto least_important = std::max_element(
        columns.begin(), columns.end(), [&](const Shown& a, const Shown& b) { return rank(a) < rank(b); });
    if (least_important == columns.end() || rank(*least_important) == 0) return;
    columns.erase(least_important);
  }
}

void Fit(std::vector<Shown>& columns, int width) {
  LeaveOut(columns, width, UncutWidth, [](const Column& column) { return column.expendable; });
  LeaveOut(columns, width, ComfortableWidth, [](const Column&) { return true; });
  Shrink(columns, width, ComfortableWidth);
  Shrink(columns, width, LeastWidth);
}

std::string Line(const std::vector<Shown>& columns, const std::vector<std::string>& texts) {
  std::string line;
  for (size_t c = 0; c < columns.size(); ++c) {
    if (c > 0) line += std::string(kGap, ' ');
    const std::string text = Truncate(texts[c], columns[c].width);
    line += columns[c].column->align == Align::kRight ? PadLeft(text, columns[c].width)
                                                      : PadRight(text, columns[c].width);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

std::string CsvField(const Json& value) {
  if (value.is_null()) return "";
  if (value.is_number_float()) return fmt::format("{:.17g}", value.get<double>());
  const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += '"';
    quoted += c;
  }
  return quoted + "\"";
}

std::string MarkdownField(const std::string& text) {
  std::string escaped;
  for (const char c : Printable(text)) {
    if (c == '|' || c == '\\') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

}  // namespace

std::string_view OutputFormatName(OutputFormat format) {
  switch (format) {
    case OutputFormat::kTable:
      return "table";
    case OutputFormat::kCsv:
      return "csv";
    case OutputFormat::kJson:
      return "json";
    case OutputFormat::kMarkdown:
      return "markdown";
  }
  return "";
}

absl::StatusOr<OutputFormat> ParseOutputFormat(std::string_view name) {
  for (const OutputFormat format : kAllOutputFormats) {
    if (OutputFormatName(format) == name) return format;
  }
  return InvalidArgument("unknown format '{}'; expected table, csv, json or markdown", name);
}

std::string RenderTable(const Table& table, const Screen& screen) {
  std::vector<Shown> columns = ForPeople(table);
  if (screen.width > 0) Fit(columns, screen.width);
  std::vector<std::string> texts;
  std::string rule;
  for (const Shown& shown : columns) {
    texts.push_back(shown.column->header);
    if (!rule.empty()) rule += std::string(kGap, ' ');
    for (int i = 0; i < shown.width; ++i) rule += "─";
  }
  const std::string header = Line(columns, texts);
  std::string result = screen.color ? "\x1b[1m" + header + "\x1b[0m\n" : header + "\n";
  result += rule + "\n";
  for (size_t r = 0; r < table.rows.size(); ++r) {
    for (size_t c = 0; c < columns.size(); ++c) texts[c] = columns[c].cells[r];
    result += Line(columns, texts) + "\n";
  }
  return result;
}

std::vector<std::string> LeftOut(const Table& table, const Screen& screen) {
  const std::vector<Shown> all = ForPeople(table);
  std::vector<Shown> kept = all;
  if (screen.width > 0) Fit(kept, screen.width);
  std::vector<std::string> headers;
  size_t next = 0;
  for (const Shown& shown : all) {
    if (next < kept.size() && kept[next].column == shown.column) {
      ++next;
    } else {
      headers.push_back(shown.column->header);
    }
  }
  return headers;
}

int NaturalWidth(const Table& table) {
  return TotalWidth(ForPeople(table));
}

std::string RenderCsv(const Table& table) {
  std::string result;
  const auto add_line = [&](const auto& field) {
    bool first = true;
    for (size_t c = 0; c < table.columns.size(); ++c) {
      if (table.columns[c].audience == Audience::kPeople) continue;
      if (!first) result += ',';
      first = false;
      result += CsvField(field(c));
    }
    result += '\n';
  };
  add_line([&](size_t c) { return Json(table.columns[c].key); });
  for (const std::vector<Cell>& row : table.rows) add_line([&](size_t c) { return row[c].value; });
  return result;
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

std::string RenderMarkdown(const Table& table) {
  const std::vector<Shown> columns = ForPeople(table);
  std::string header = "|";
  std::string rule = "|";
  for (const Shown& shown : columns) {
    header += " " + MarkdownField(shown.column->header) + " |";
    rule += shown.column->align == Align::kRight ? " ---: |" : " --- |";
  }
  std::string result = header + "\n" + rule + "\n";
  for (size_t r = 0; r < table.rows.size(); ++r) {
    result += "|";
    for (const Shown& shown : columns) result += " " + MarkdownField(shown.cells[r]) + " |";
    result += "\n";
  }
  return result;
}

std::string Render(const Table& table, OutputFormat format, const Screen& screen) {
  switch (format) {
    case OutputFormat::kTable:
      return RenderTable(table, screen);
    case OutputFormat::kCsv:
      return RenderCsv(table);
    case OutputFormat::kJson:
      return TableToJson(table).dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
    case OutputFormat::kMarkdown:
      return RenderMarkdown(table);
  }
  return "";
}

}  // namespace gridsweep
