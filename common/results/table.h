// One listing, and how it looks in a terminal of some width. For other renderings see table_formats.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/json.h"

namespace gridsweep {

enum class Align { kLeft, kRight };

// Who sees a column. Machines get full precision and one value a column; people get what reads well.
enum class Audience { kAll, kPeople, kMachines };

struct Column {
  std::string key;     // for CSV and JSON: test_accuracy
  std::string header;  // for people: "test acc"
  Align align = Align::kLeft;
  Audience audience = Audience::kAll;
  // In a narrow terminal columns are left out, the highest priority number first; 0 is never left out.
  int priority = 0;
  bool expendable = false;  // left out before any cell or header is shortened
  // 0: never shortened. Otherwise headers and then cells may be shortened with "…", cells down to comfortable_width as
  // long as other columns can be left out instead, and to this when nothing else helps.
  int min_width = 0;
  int comfortable_width = 16;
  bool keep_empty = false;
};

struct Cell {
  std::string text;  // for people
  Json value;        // for machines: null, bool, number (or "nan", "inf", "-inf") or string

  Cell() = default;
  Cell(std::string text_in, Json value_in) : text(std::move(text_in)), value(std::move(value_in)) {}
  static Cell Text(std::string text) { return Cell(text, text); }
  // For machines alone.
  static Cell Raw(const std::optional<double>& value) {
    return Cell("", value ? NumberToJson(*value) : Json());
  }
  // Empty without a value.
  template <typename Format>
  static Cell Shown(const std::optional<double>& value, const Format& format) {
    return value ? Cell(format(*value), NumberToJson(*value)) : Cell();
  }
  static Cell Integer(int64_t number) { return Cell(std::to_string(number), number); }
};

struct Table {
  std::vector<Column> columns;
  std::vector<std::vector<Cell>> rows;  // each as long as columns
};

// How tables look on the screen at hand.
struct Screen {
  int width = 0;       // columns; 0: unlimited
  int height = 0;      // lines; 0: unlimited
  bool color = false;  // ANSI escapes allowed
  friend bool operator==(const Screen&, const Screen&) = default;
};

// Header, a rule, rows; columns two spaces apart; no trailing spaces; ends in a newline. Columns that are
// empty in every row are left out.
std::string RenderTable(const Table& table, const Screen& screen);
// The headers of the columns that RenderTable leaves out because they do not fit.
std::vector<std::string> LeftOut(const Table& table, const Screen& screen);
// The width RenderTable would need to show every column in full.
int NaturalWidth(const Table& table);

// A column that people see, its cells printable. Those that are empty in every row are left out.
struct PeoplesColumn {
  const Column* column;
  std::vector<std::string> cells;  // by row
};
std::vector<PeoplesColumn> ColumnsForPeople(const Table& table);

}  // namespace gridsweep
