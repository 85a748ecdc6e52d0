#include "common/results/render_rank.h"

#include <algorithm>
#include <string_view>

#include "common/results/format_number.h"
#include "common/results/labels.h"
#include "common/results/text_width.h"

namespace gridsweep {
namespace {

// "val_accuracy" → "val acc", "train_loss" → "train loss".
std::string MetricHeader(std::string_view metric) {
  std::string header(metric);
  std::replace(header.begin(), header.end(), '_', ' ');
  if (header.ends_with("accuracy")) header.resize(header.size() - 5);
  return header;
}

// A column with the function that fills it.
struct RankColumn {
  Column column;
  Cell (*fill)(const RankedRow& row, const RankedTable& ranked);
};

Cell RankCell(const RankedRow& row, const RankedTable&) {
  if (row.rank == 0) return Cell("–", nullptr);
  return Cell(row.tied ? fmt::format("{}=", row.rank) : std::to_string(row.rank), row.rank);
}
// Positive: worse than the leader.
Cell Behind(const RankedRow& row, const RankedTable& ranked) {
  if (!row.behind) return {};
  const double sign = ranked.goal == "min" ? -1 : 1;
  return Cell(FormatGap(ranked.metric, sign * row.behind->mean, row.behind->ci), nullptr);
}
Cell MeanWithInterval(const RankedRow& row, const RankedTable& ranked) {
  if (!row.mean) return Cell("–", nullptr);
  return Cell(FormatMean(ranked.metric, *row.mean, row.ci), nullptr);
}

const std::vector<RankColumn>& FigureColumns() {
  static const std::vector<RankColumn> columns = {
      {{.key = "n", .header = "n", .align = Align::kRight, .priority = 5},
       [](const RankedRow& row, const RankedTable&) { return Cell::Integer(row.n); }},
      {{.key = "", .header = "", .align = Align::kRight, .audience = Audience::kPeople}, MeanWithInterval},
      {{.key = "mean", .header = "", .audience = Audience::kMachines},
       [](const RankedRow& row, const RankedTable&) { return Cell::Raw(row.mean); }},
      {{.key = "ci95", .header = "", .audience = Audience::kMachines},
       [](const RankedRow& row, const RankedTable&) { return Cell::Raw(row.ci); }},
      {{.key = "sd", .header = "", .audience = Audience::kMachines},
       [](const RankedRow& row, const RankedTable&) { return Cell::Raw(row.sd); }},
      {{.key = "interval", .header = "", .audience = Audience::kMachines},
       [](const RankedRow& row, const RankedTable&) {
         return Cell::Text(std::string(EvidenceName(row.evidence)));
       }},
      {{.key = "tied", .header = "", .audience = Audience::kMachines},
       [](const RankedRow& row, const RankedTable&) { return Cell("", row.tied); }},
      {{.key = "best_probability",
        .header = "P(best)",
        .align = Align::kRight,
        .priority = 6,
        .expendable = true},
       [](const RankedRow& row, const RankedTable&) {
         return Cell::Shown(row.best_probability, FormatProbability);
       }},
      {{.key = "",
        .header = "behind best",
        .align = Align::kRight,
        .audience = Audience::kPeople,
        .priority = 6,
        .expendable = true},
       Behind},
      {{.key = "difference", .header = "", .audience = Audience::kMachines},
       [](const RankedRow& row, const RankedTable&) {
         return Cell::Raw(row.behind ? std::optional(row.behind->mean) : std::nullopt);
       }},
      {{.key = "difference_ci95", .header = "", .audience = Audience::kMachines},
       [](const RankedRow& row, const RankedTable&) {
         return Cell::Raw(row.behind ? row.behind->ci : std::nullopt);
       }},
      {{.key = "p", .header = "p", .align = Align::kRight, .priority = 10, .expendable = true},
       [](const RankedRow& row, const RankedTable&) {
         return Cell::Shown(row.behind ? row.behind->p : std::nullopt, FormatPValue);
       }},
      {{.key = "test_accuracy", .header = "test acc", .align = Align::kRight, .priority = 1},
       [](const RankedRow& row, const RankedTable&) {
         return Cell::Shown(row.test_accuracy, FormatAccuracy);
       }},
      {{.key = "test_loss", .header = "test loss", .align = Align::kRight, .priority = 4},
       [](const RankedRow& row, const RankedTable&) { return Cell::Shown(row.test_loss, FormatLoss); }},
      {{.key = "train_loss",
        .header = "train loss",
        .align = Align::kRight,
        .priority = 9,
        .expendable = true},
       [](const RankedRow& row, const RankedTable&) { return Cell::Shown(row.train_loss, FormatLoss); }},
      {{.key = "best_epoch", .header = "epoch", .align = Align::kRight, .priority = 8, .expendable = true},
       [](const RankedRow& row, const RankedTable&) { return Cell::Shown(row.best_epoch, FormatMeanCount); }},
  };
  return columns;
}

const std::vector<RankColumn>& LevelColumns() {
  static const std::vector<RankColumn> columns = {
      {{.key = "cells", .header = "cells", .align = Align::kRight, .priority = 3},
       [](const RankedRow& row, const RankedTable&) { return Cell::Integer(row.cells); }},
      {{.key = "best_cell", .header = "best cell", .priority = 0, .min_width = 8},
       [](const RankedRow& row, const RankedTable&) { return Cell::Text(row.best_label); }},
  };
  return columns;
}

const std::vector<RankColumn>& RunColumns() {
  static const std::vector<RankColumn> columns = {
      {{.key = "seconds", .header = "s/job", .align = Align::kRight, .priority = 7, .expendable = true},
       [](const RankedRow& row, const RankedTable&) { return Cell::Shown(row.seconds, FormatSeconds); }},
      {{.key = "shared_epochs", .header = "", .audience = Audience::kMachines},
       [](const RankedRow& row, const RankedTable&) { return Cell::Raw(row.shared_epochs); }},
      {{.key = "job_ids", .header = "job", .align = Align::kRight, .priority = 2},
       [](const RankedRow& row, const RankedTable&) {
         const std::string all = fmt::format("{}", fmt::join(row.job_ids, " "));
         // The first of a cell's jobs is enough for `gridsweep show`.
         const std::string first = row.job_ids.empty() ? "" : std::to_string(row.job_ids.front());
         return Cell(row.job_ids.size() > 1 ? first + "…" : first, all);
       }},
  };
  return columns;
}

const RankColumn& NoteColumn() {
  static const RankColumn column = {
      {.key = "note", .header = "note", .min_width = 8, .comfortable_width = 10},
      [](const RankedRow& row, const RankedTable&) { return Cell::Text(row.note); }};
  return column;
}

void Append(std::vector<RankColumn>& all, const std::vector<RankColumn>& more) {
  all.insert(all.end(), more.begin(), more.end());
}

// Gives the rows shorter labels. Returns what is the same in the whole sweep and left out.
std::vector<std::string> Shorten(RankedTable& ranked) {
  const LabelShortener shortener(ranked.all_labels);
  for (RankedRow& row : ranked.rows) {
    for (std::string& label : row.labels) label = shortener.Shorten(label);
    if (!row.best_label.empty()) row.best_label = shortener.Shorten(row.best_label);
  }
  return shortener.legend();
}

// What the intervals are made from and how many cells share the first rank: one sentence, or none before there is a result.
std::string Certainty(const RankedTable& ranked) {
  if (ranked.ranked_cells == 0) return "";
  const bool by_images = std::any_of(ranked.rows.begin(), ranked.rows.end(), [](const RankedRow& row) {
    return row.evidence == Evidence::kBinomial;
  });
  std::string text;
  if (ranked.seeds == 1 && by_images) {
    text = fmt::format(
        "one seed: ± is 1.96 standard errors of a share of {} images, and says nothing about other seeds",
        FormatCount(ranked.images));
  } else if (ranked.seeds == 1) {
    return ranked.ranked_cells > 1 ? "one seed and a loss: nothing tells these differences from chance" : "";
  } else {
    text = "±: 95 % confidence interval over seeds (Student's t)";
    if (by_images) text += "; of one seed, of the images it is a share of";
  }
  if (ranked.compared_cells == 0) return text;
  const std::string test = ranked.seeds == 1 ? "z test on the images" : "paired t test over seeds";
  if (ranked.tied_cells > 1) {
    text += fmt::format("; 1=: {} of {} cells cannot be told apart from the best",
                        FormatCount(ranked.tied_cells), FormatCount(ranked.ranked_cells));
  } else {
    text += ranked.compared_cells == 1
                ? "; the best differs from the one cell it was compared with"
                : fmt::format("; the best differs from each of the {} cells it was compared with",
                              FormatCount(ranked.compared_cells));
  }
  return text + fmt::format(" ({}, Holm, p {} 0.05)", test, ranked.tied_cells > 1 ? ">" : "<");
}

std::string RankedBy(const RankedTable& ranked) {
  std::string text = fmt::format("ranked by {} ({}, {} epoch)", ranked.metric,
                                 ranked.goal == "min" ? "lowest" : "highest", ranked.epoch);
  if (ranked.metric.starts_with("train_")) {
    text += "; ranked on the training images";
    text += ranked.validation > 0
                ? fmt::format(", though {:.4g} % were held out for validation", ranked.validation * 100)
                : ": nothing was held out";
  } else if (ranked.ranked_on_test) {
    text += ranked.validation > 0 ? "; ranked on test, though validation images were held out"
                                  : "; ranked on test: nothing was held out";
  } else if (ranked.validation > 0) {
    text += fmt::format("; {:.4g} % of the training set held out for validation", ranked.validation * 100);
  }
  return text;
}

std::string JobsText(const StateCounts& jobs) {
  std::string text = Plural(jobs.total(), "job");
  const auto add = [&](int64_t count, std::string_view word) {
    if (count > 0) text += fmt::format(", {} {}", FormatCount(count), word);
  };
  if (jobs.succeeded < jobs.total()) add(jobs.succeeded, "succeeded");
  add(jobs.diverged, "diverged");
  add(jobs.failed, "failed");
  add(jobs.cancelled, "cancelled");
  add(jobs.running, "running");
  add(jobs.pending, "pending");
  return text;
}

std::vector<std::string> Caption(const RankedTable& ranked, const RankOptions& options) {
  std::vector<std::string> lines;
  std::string title = ranked.sweep_name;
  if (!options.no_times) title += fmt::format(" (sweep {})", ranked.sweep);
  if (ranked.sweep_state != "finished" && !ranked.sweep_state.empty()) title += ", " + ranked.sweep_state;
  lines.push_back(fmt::format("{}: {}, {}, {} each, {}, {}", title, ranked.dataset,
                              Plural(ranked.cells, "cell"), Plural(ranked.seeds, "seed"),
                              Plural(ranked.epochs, "epoch"), JobsText(ranked.jobs)));
  lines.push_back(RankedBy(ranked));
  for (const std::string& line :
       {Certainty(ranked), FewSeedsNote(ranked.rows, ranked.compared_cells, ranked.tied_cells)}) {
    if (!line.empty()) lines.push_back(line);
  }
  if (ranked.by_level && !ranked.axes.empty()) {
    lines.push_back(fmt::format("each {} is shown by its best cell", ranked.axes.front()));
  }
  if (!ranked.constants.empty())
    lines.push_back(fmt::format("constant: {}", fmt::join(ranked.constants, ", ")));
  if (ranked.shares_epochs && !options.no_times) {
    lines.push_back("s/job: epochs that jobs have in common were trained once and are split among them");
  }
  return lines;
}

constexpr size_t kMaxNotes = 20;

// Takes the notes out of the table and returns them as lines of their own: where they do not fit beside the figures, a
// shortened "1 of 2 di…" would tell nothing.
std::string NotesBelow(Table& table, const std::vector<RankedRow>& rows, int width) {
  table.columns.pop_back();
  for (std::vector<Cell>& row : table.rows) row.pop_back();
  std::string text;
  size_t shown = 0;
  size_t all = 0;
  for (const RankedRow& row : rows) {
    if (row.note.empty() || ++all > kMaxNotes) continue;
    text += WrapText(Printable(fmt::format("  {}: {}", fmt::join(row.labels, " "), row.note)), width);
    ++shown;
  }
  if (all > shown)
    text += fmt::format("  … {} more; a wider terminal or --format csv shows all\n", all - shown);
  return text.empty() ? "" : "\nnotes\n" + text;
}

Json RankToJson(const RankedTable& ranked, const RankOptions& options) {
  Json sweep = {{"name", ranked.sweep_name},
                {"state", ranked.sweep_state},
                {"dataset", ranked.dataset},
                {"metric", ranked.metric},
                {"goal", ranked.goal},
                {"epoch", ranked.epoch},
                {"seeds", ranked.seeds},
                {"epochs", ranked.epochs},
                {"cells", ranked.cells},
                {"validation", ranked.validation},
                {"jobs", ranked.jobs.total()},
                {"ranked_on_test", ranked.ranked_on_test},
                {"images", ranked.images},
                {"ranked_cells", ranked.ranked_cells},
                {"tied_cells", ranked.tied_cells}};
  if (!options.no_times) sweep["id"] = ranked.sweep;
  Json rows = TableToJson(BuildRankTable(ranked, options));
  for (size_t r = 0; r < ranked.rows.size(); ++r) {
    if (!options.no_times) rows[r]["job_ids"] = ranked.rows[r].job_ids;
  }
  return {{"sweep", sweep},
          {"axes", ranked.axes},
          {"constants", ranked.constants},
          {"rows", rows},
          {"total_rows", ranked.total_rows}};
}

std::string RenderMarkdownRank(const RankedTable& ranked, const RankOptions& options) {
  std::string result;
  for (const std::string& line : Caption(ranked, options)) result += MarkdownText(line) + "  \n";
  return result + "\n" + RenderMarkdown(BuildRankTable(ranked, options));
}

std::string RenderLatexRank(const RankedTable& ranked, const RankOptions& options) {
  std::string result;
  for (const std::string& line : Caption(ranked, options)) result += "% " + Printable(line) + "\n";
  return result + RenderLatex(BuildRankTable(ranked, options));
}

}  // namespace

Table BuildRankTable(const RankedTable& ranked, const RankOptions& options) {
  std::vector<RankColumn> figures;
  if (ranked.by_level) Append(figures, LevelColumns());
  Append(figures, FigureColumns());
  if (!options.no_times) Append(figures, RunColumns());
  figures.push_back(NoteColumn());
  for (RankColumn& figure : figures) {
    if (figure.fill == MeanWithInterval) figure.column.header = MetricHeader(ranked.metric);
    // Ranked by it: people need not see it twice.
    if (figure.column.key == ranked.metric) figure.column.audience = Audience::kMachines;
    if (figure.column.key == "n" && ranked.seeds == 1) figure.column.audience = Audience::kMachines;
  }

  Table table;
  table.columns.push_back({.key = "rank", .header = "rank", .align = Align::kRight});
  for (const std::string& axis : ranked.axes) {
    table.columns.push_back({.key = axis, .header = axis, .min_width = 6});
  }
  for (const RankColumn& figure : figures) table.columns.push_back(figure.column);
  for (const RankedRow& row : ranked.rows) {
    std::vector<Cell> cells = {RankCell(row, ranked)};
    for (const std::string& label : row.labels) cells.push_back(Cell::Text(label));
    for (const RankColumn& figure : figures) cells.push_back(figure.fill(row, ranked));
    table.rows.push_back(std::move(cells));
  }
  return table;
}

std::string RenderRank(const RankedTable& ranked, OutputFormat format, const Screen& screen,
                       const RankOptions& options) {
  if (format == OutputFormat::kCsv || format == OutputFormat::kTsv)
    return Render(BuildRankTable(ranked, options), format, screen);
  if (format == OutputFormat::kLatex) return RenderLatexRank(ranked, options);
  if (format == OutputFormat::kMarkdown) return RenderMarkdownRank(ranked, options);
  if (format == OutputFormat::kJson) {
    return RankToJson(ranked, options).dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  }
  std::vector<std::string> caption = Caption(ranked, options);
  Table table = BuildRankTable(ranked, options);
  std::string notes;
  if (screen.width > 0 && NaturalWidth(table) > screen.width) {
    RankedTable shorter = ranked;
    const std::vector<std::string> legend = Shorten(shorter);
    if (!legend.empty()) caption.push_back(fmt::format("everywhere: {}", fmt::join(legend, "; ")));
    table = BuildRankTable(shorter, options);
    if (NaturalWidth(table) > screen.width) notes = NotesBelow(table, shorter.rows, screen.width);
    if (const std::vector<std::string> hidden = LeftOut(table, screen); !hidden.empty()) {
      caption.push_back(fmt::format("left out: {}; a wider terminal or --format csv shows {}",
                                    fmt::join(hidden, ", "), hidden.size() == 1 ? "it" : "them"));
    }
  }
  std::string result;
  for (const std::string& line : caption) result += WrapText(Printable(line), screen.width);
  result += "\n" + RenderTable(table, screen);
  if (static_cast<int64_t>(ranked.rows.size()) < ranked.total_rows) {
    result +=
        fmt::format("… {} more\n", FormatCount(ranked.total_rows - static_cast<int64_t>(ranked.rows.size())));
  }
  return result + notes;
}

}  // namespace gridsweep
