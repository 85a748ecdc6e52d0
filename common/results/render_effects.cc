#include "common/results/render_effects.h"

#include <algorithm>
#include <cmath>

#include "common/results/format_number.h"
#include "common/results/labels.h"
#include "common/results/text_width.h"

namespace gridsweep {
namespace {

constexpr int kBarWidth = 20;
constexpr int kBarColumn = 2;

// In eighths of a character.
std::string Bar(double share) {
  static constexpr const char* kEighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const auto eighths = static_cast<int>(std::lround(std::min(std::max(share, 0.0), 1.0) * kBarWidth * 8));
  std::string bar;
  for (int i = 0; i < eighths / 8; ++i) bar += "█";
  return bar + kEighths[eighths % 8];
}

std::string FormatF(double f) {
  return f >= 99.95 ? FormatCount(std::llround(f)) : FormatLoss(f);
}

// With `bars` that show the shares, for a terminal.
Table TermTable(const EffectsReport& report, bool bars) {
  const Effects& effects = report.effects;
  Table table;
  table.columns = {{.key = "term", .header = "effect of"},
                   {.key = "share", .header = "share", .align = Align::kRight},
                   {.key = "", .header = "", .audience = Audience::kPeople, .priority = 2},
                   {.key = "df", .header = "df", .align = Align::kRight},
                   {.key = "sum_of_squares", .header = "", .audience = Audience::kMachines},
                   {.key = "f", .header = "F", .align = Align::kRight, .priority = 1},
                   {.key = "p", .header = "p", .align = Align::kRight}};
  for (const EffectTerm& term : effects.terms) {
    table.rows.push_back({Cell::Text(term.name), Cell(FormatShare(term.share), term.share),
                          Cell(Bar(term.share), nullptr), Cell(FormatCount(term.df), term.df),
                          Cell::Raw(term.sum_of_squares), Cell::Shown(term.f, FormatF),
                          Cell::Shown(term.p, FormatPValue)});
  }
  const double rest = effects.residual_sum_of_squares / effects.total_sum_of_squares;
  if (!effects.terms.empty())
    table.rows.push_back({Cell("the rest", "residual"), Cell(FormatShare(rest), rest),
                          Cell(Bar(rest), nullptr), Cell::Integer(effects.residual_df),
                          Cell::Raw(effects.residual_sum_of_squares), Cell(), Cell()});
  if (!bars) {
    table.columns.erase(table.columns.begin() + kBarColumn);
    for (std::vector<Cell>& row : table.rows) row.erase(row.begin() + kBarColumn);
  }
  return table;
}

// "optimizer sgd(lr=0.05)", the leader in words.
std::string LeaderText(const EffectsReport& report) {
  return fmt::format("{}", fmt::join(report.effects.leader, " "));
}

std::vector<std::string> Caption(const EffectsReport& report) {
  const Effects& effects = report.effects;
  std::vector<std::string> lines;
  std::string title = report.sweep_name;
  if (report.sweep_state != "finished" && !report.sweep_state.empty()) title += ", " + report.sweep_state;
  lines.push_back(fmt::format("{}: {}, what each axis does to {}", title, report.dataset, report.metric));
  if (!effects.terms.empty()) {
    lines.push_back(
        fmt::format("analysis of variance, type II, of {} results; share: of all variation between them",
                    FormatCount(effects.observations)));
  }
  lines.insert(lines.end(), effects.notes.begin(), effects.notes.end());
  return lines;
}

std::string LevelsCaption(const EffectsReport& report) {
  std::string text = "mean: of a level over all others with equal weights, ± 95 % confidence interval";
  if (!report.effects.leader.empty()) {
    const auto of = [&report](Evidence evidence) {
      return std::any_of(
          report.effects.levels.begin(), report.effects.levels.end(),
          [evidence](const EffectLevel& level) { return level.cost && level.cost->evidence == evidence; });
    };
    text +=
        fmt::format("; instead of the best: what the best cell ({}) loses when only this choice changes{}{}",
                    LeaderText(report), of(Evidence::kSeeds) ? ", paired over seeds" : "",
                    of(Evidence::kBinomial) ? ", one seed by the images it is a share of" : "");
    if (of(Evidence::kSeeds) || of(Evidence::kBinomial)) text += "; p by Holm";
  }
  return text;
}

double Sign(const EffectsReport& report) {
  return report.goal == "min" ? -1 : 1;
}

// With labels shortened where they do not fit.
EffectsReport Shortened(const EffectsReport& report, std::vector<std::string>& legend) {
  std::vector<std::string> labels;
  for (const EffectLevel& level : report.effects.levels) labels.push_back(level.level);
  const LabelShortener shortener(labels);
  EffectsReport shorter = report;
  for (EffectLevel& level : shorter.effects.levels) level.level = shortener.Shorten(level.level);
  legend = shortener.legend();
  return shorter;
}

Json EffectsToJson(const EffectsReport& report) {
  const Effects& effects = report.effects;
  return {{"sweep", {{"id", report.sweep}, {"name", report.sweep_name}, {"state", report.sweep_state}}},
          {"metric", report.metric},
          {"goal", report.goal},
          {"notes", effects.notes},
          {"observations", effects.observations},
          {"residual_df", effects.residual_df},
          {"residual_sum_of_squares", effects.residual_sum_of_squares},
          {"total_sum_of_squares", effects.total_sum_of_squares},
          {"leader", effects.leader},
          {"axes", report.axes},
          {"terms", TableToJson(EffectTermTable(report))},
          {"levels", TableToJson(EffectLevelTable(report))}};
}

std::string TableForPeople(const EffectsReport& report, const Screen& screen) {
  std::string text;
  for (const std::string& line : Caption(report)) text += WrapText(Printable(line), screen.width);
  if (!report.effects.terms.empty()) text += "\n" + RenderTable(TermTable(report, /*bars=*/true), screen);
  if (report.effects.levels.empty()) return text;
  text += "\n" + WrapText(Printable(LevelsCaption(report)), screen.width);
  Table levels = EffectLevelTable(report);
  if (screen.width > 0 && NaturalWidth(levels) > screen.width) {
    std::vector<std::string> legend;
    levels = EffectLevelTable(Shortened(report, legend));
    if (!legend.empty())
      text += WrapText(Printable(fmt::format("everywhere: {}", fmt::join(legend, "; "))), screen.width);
    if (const std::vector<std::string> hidden = LeftOut(levels, screen); !hidden.empty())
      text += WrapText(
          fmt::format("left out: {}; a wider terminal or --format json shows them", fmt::join(hidden, ", ")),
          screen.width);
  }
  return text + "\n" + RenderTable(levels, screen);
}

}  // namespace

Table EffectTermTable(const EffectsReport& report) {
  return TermTable(report, /*bars=*/false);
}

Table EffectLevelTable(const EffectsReport& report) {
  Table table;
  table.columns = {
      {.key = "axis", .header = "axis"},
      {.key = "level", .header = "level", .min_width = 8},
      {.key = "cells", .header = "cells", .align = Align::kRight, .priority = 3},
      {.key = "results", .header = "results", .align = Align::kRight, .priority = 4},
      {.key = "diverged", .header = "diverged", .align = Align::kRight, .priority = 2},
      {.key = "failed", .header = "failed", .align = Align::kRight, .priority = 2},
      {.key = "", .header = "mean", .align = Align::kRight, .audience = Audience::kPeople},
      {.key = "mean", .header = "", .audience = Audience::kMachines},
      {.key = "ci95", .header = "", .audience = Audience::kMachines},
      {.key = "of_leader", .header = "", .audience = Audience::kMachines},
      {.key = "", .header = "instead of the best", .align = Align::kRight, .audience = Audience::kPeople},
      {.key = "cost", .header = "", .audience = Audience::kMachines},
      {.key = "cost_ci95", .header = "", .audience = Audience::kMachines},
      {.key = "p", .header = "p", .align = Align::kRight, .priority = 1}};
  std::string axis;
  for (const EffectLevel& level : report.effects.levels) {
    const std::string& name = report.axes[static_cast<size_t>(level.axis)];
    const auto& cost = level.cost;
    const std::string mean = level.mean ? FormatMean(report.metric, *level.mean, level.ci) : "–";
    const std::string instead = level.of_leader ? "best"
                                : cost ? FormatGap(report.metric, Sign(report) * cost->mean, cost->ci)
                                       : "–";
    const auto count = [](int64_t n) { return Cell(n == 0 ? "" : FormatCount(n), n); };
    table.rows.push_back({Cell(name == axis ? "" : name, name), Cell::Text(level.level),
                          Cell(FormatCount(level.cells), level.cells),
                          Cell(FormatCount(level.results), level.results), count(level.diverged),
                          count(level.failed), Cell(mean, nullptr), Cell::Raw(level.mean),
                          Cell::Raw(level.ci), Cell("", level.of_leader), Cell(instead, nullptr),
                          Cell::Raw(cost ? std::optional(cost->mean) : std::nullopt),
                          Cell::Raw(cost ? cost->ci : std::nullopt),
                          Cell::Shown(cost ? cost->p : std::nullopt, FormatPValue)});
    axis = name;
  }
  return table;
}

std::string RenderEffects(const EffectsReport& report, EffectsPart part, OutputFormat format,
                          const Screen& screen) {
  if (format == OutputFormat::kTable) return TableForPeople(report, screen);
  if (format == OutputFormat::kJson)
    return EffectsToJson(report).dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  const Table table = part == EffectsPart::kTerms ? EffectTermTable(report) : EffectLevelTable(report);
  std::string text;
  if (format == OutputFormat::kMarkdown) {
    for (const std::string& line : Caption(report)) text += MarkdownText(line) + "  \n";
    text += "\n";
  } else if (format == OutputFormat::kLatex) {
    for (const std::string& line : Caption(report)) text += "% " + Printable(line) + "\n";
  }
  return text + Render(table, format, screen);
}

}  // namespace gridsweep
