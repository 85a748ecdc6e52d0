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
  for (PeoplesColumn& column : ColumnsForPeople(table)) {
    Shown next{.column = column.column, .cells = std::move(column.cells)};
    for (const std::string& cell : next.cells)
      next.cells_width = std::max(next.cells_width, DisplayWidth(cell));
    next.natural = std::max(next.cells_width, DisplayWidth(next.column->header));
    next.width = next.natural;
    shown.push_back(std::move(next));
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

int NaturalWidthOf(const Shown& shown) {
  return shown.natural;
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
  LeaveOut(columns, width, NaturalWidthOf, [](const Column& column) { return column.expendable; });
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

}  // namespace

std::vector<PeoplesColumn> ColumnsForPeople(const Table& table) {
  std::vector<PeoplesColumn> columns;
  for (size_t c = 0; c < table.columns.size(); ++c) {
    const Column& column = table.columns[c];
    if (column.audience == Audience::kMachines) continue;
    PeoplesColumn next{.column = &column, .cells = {}};
    bool empty = true;
    for (const std::vector<Cell>& row : table.rows) {
      next.cells.push_back(Printable(row[c].text));
      empty = empty && next.cells.back().empty();
    }
    // An empty listing keeps its header, so that one sees what would be there.
    if (!empty || column.keep_empty || table.rows.empty()) columns.push_back(std::move(next));
  }
  return columns;
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

}  // namespace gridsweep
