#include "common/sweep/plan.h"

#include <algorithm>

#include "common/catalog/wrap_text.h"
#include "common/sweep/grid_size.h"
#include "common/sweep/sharing.h"

namespace gridsweep {
namespace {

constexpr size_t kMaxSeedsShown = 12;

std::string Plural(int64_t n, std::string_view noun) {
  return fmt::format("{} {}{}", CountText(n), noun, n == 1 ? "" : "s");
}

std::string Percent(double share) {
  return fmt::format("{:.4g} %", share * 100);
}

std::string TrainingText(const TrainingSpec& training) {
  std::string text =
      fmt::format("{}, batches of {}", Plural(training.epochs, "epoch"), CountText(training.batch_size));
  text += training.validation > 0
              ? fmt::format(", {} of the training images held out", Percent(training.validation))
              : ", nothing held out";
  if (training.samples > 0) text += fmt::format(", trained on {}", Plural(training.samples, "image"));
  return text;
}

std::string ObjectiveText(const SweepSpec& spec) {
  const Objective& objective = spec.objective;
  std::string text =
      fmt::format("{} {} of the {} epoch", objective.goal == Goal::kMin ? "lowest" : "highest",
                  MetricName(objective.metric), objective.epoch == EpochRule::kBest ? "best" : "last");
  switch (objective.metric) {
    case Metric::kValLoss:
    case Metric::kValAccuracy:
      return text + "; ranked on the held-out images, reported on the test set";
    case Metric::kTestLoss:
    case Metric::kTestAccuracy:
      return text + "; ranked on the test set itself, which flatters the winner";
    case Metric::kTrainLoss:
    case Metric::kTrainAccuracy:
      break;
  }
  return text + "; ranked on the training images";
}

std::string SeedsText(const std::vector<int64_t>& seeds) {
  std::string text;
  for (size_t i = 0; i < seeds.size() && i < kMaxSeedsShown; ++i) {
    text += fmt::format("{}{}", i > 0 ? ", " : "", seeds[i]);
  }
  if (seeds.size() > kMaxSeedsShown)
    text += fmt::format(", … ({} in all)", CountText(static_cast<int64_t>(seeds.size())));
  return text;
}

std::vector<std::string> ValueLabels(const SweepSpec& spec, const Catalog& catalog, Axis axis) {
  std::vector<std::string> labels;
  for (const AxisValue& value : spec.axis(axis)) labels.push_back(AxisValueLabel(catalog, axis, value));
  return labels;
}

// Value lists are broken between values, never within one.
std::string WrappedList(std::string_view lead, const std::vector<std::string>& labels, size_t width) {
  std::string joined;
  for (size_t i = 0; i < labels.size(); ++i) {
    std::string label = labels[i];
    // A stand-in for the spaces within a value, while words are wrapped.
    std::replace(label.begin(), label.end(), ' ', '\x01');
    joined += label + (i + 1 < labels.size() ? ", " : "");
  }
  std::string text = Wrapped(lead, joined, width);
  std::replace(text.begin(), text.end(), '\x01', ' ');
  return text;
}

std::string AxesText(const SweepSpec& spec, const Catalog& catalog, size_t width) {
  std::string out = "\ngrid\n";
  for (const Axis axis : kAllAxes) {
    std::vector<std::string> labels = ValueLabels(spec, catalog, axis);
    const std::string lead =
        fmt::format("  {}  {:>5}  ", Padded(AxisName(axis), 14), CountText(labels.size()));
    out += WrappedList(lead, labels, width);
    const int64_t folded = spec.duplicates[static_cast<size_t>(axis)];
    if (folded > 0)
      out += fmt::format("{}({} folded)\n", std::string(TextWidth(lead), ' '), Plural(folded, "duplicate"));
  }
  return out;
}

std::string ExclusionsText(const SweepSpec& spec, const Grid& grid, size_t width) {
  if (spec.exclude.empty()) return "";
  std::string out = "\nexclude\n";
  for (size_t i = 0; i < spec.exclude.size(); ++i) {
    const int64_t removed = grid.excluded_by_rule()[i];
    const std::string lead = fmt::format(
        "  {}  {:>9}  ", Padded(fmt::format("line {}", spec.exclude[i].line), 14), CountText(-removed));
    const std::string_view note = removed == 0 ? " (all removed by earlier rules)" : "";
    out += Wrapped(lead, fmt::format("{}{}", spec.exclude[i].text, note), width);
  }
  return out;
}

EpochBounds EpochsToTrain(const SweepSpec& spec, const Grid& grid, bool share) {
  if (share) return SharingForecast(spec, grid).Total();
  const int64_t asked = grid.jobs() * spec.training.epochs;
  return {asked, asked};
}

// How many of the epochs asked for are trained; empty if nothing could be shared.
std::string ToTrainText(const SweepSpec& spec, const Grid& grid, const PlanOptions& options) {
  if (spec.axis(Axis::kScheduler).size() == 1) return "";
  const EpochBounds bounds = EpochsToTrain(spec, grid, options.share);
  std::string text = Plural(bounds.at_most, "epoch");
  if (bounds.at_least < bounds.at_most) {
    text =
        fmt::format("at least {}, at most {}", CountText(bounds.at_least), Plural(bounds.at_most, "epoch"));
  }
  text += options.share
              ? " (jobs that differ only in the scheduler share epochs until their learning rates part)"
              : " (every job alone)";
  return Wrapped("  to train        ", text, options.width);
}

std::string TotalsText(const SweepSpec& spec, const Grid& grid) {
  const auto line = [](std::string_view name, int64_t n, const std::string& how) {
    return fmt::format("  {}  {:>12}{}{}\n", Padded(name, 14), CountText(n), how.empty() ? "" : "  ", how);
  };
  const int64_t excluded = grid.combinations() - grid.cells();
  std::string out = "\ntotal\n";
  out += line("combinations", grid.combinations(), "");
  if (excluded > 0) out += line("excluded", excluded, "");
  out += line("cells", grid.cells(), "");
  out += line("jobs", grid.jobs(),
              fmt::format("every cell with {}", Plural(static_cast<int64_t>(spec.seeds.size()), "seed")));
  // At most 10^5 jobs of 10^4 epochs under the default limits.
  out += line("epochs", grid.jobs() * spec.training.epochs,
              fmt::format("every job with {}", CountText(spec.training.epochs)));
  return out;
}

// One line of the cell list, cut off at `width`.
std::string Cut(std::string line, size_t width) {
  while (!line.empty() && line.back() == ' ') line.pop_back();
  if (TextWidth(line) <= width) return line;
  size_t keep = 0;
  for (size_t characters = 0; keep < line.size(); ++keep) {
    if ((static_cast<unsigned char>(line[keep]) & 0xc0) == 0x80) continue;
    if (++characters > width - 1) break;
  }
  return line.substr(0, keep) + "…";
}

std::string CellsText(const SweepSpec& spec, const Grid& grid, const Catalog& catalog,
                      const PlanOptions& options) {
  if (options.max_cells <= 0) return "";
  CellLister lister(spec, grid, catalog);
  std::vector<std::vector<std::string>> rows;
  while (static_cast<int64_t>(rows.size()) < options.max_cells) {
    std::optional<CellLister::Cell> cell = lister.Next();
    if (!cell) break;
    rows.push_back(std::move(cell->labels));
  }
  std::array<size_t, kAxisCount> widths{};
  for (const auto& row : rows) {
    for (size_t axis = 0; axis < kAxisCount; ++axis)
      widths[axis] = std::max(widths[axis], TextWidth(row[axis]));
  }
  std::string out = "\ncells\n";
  for (size_t i = 0; i < rows.size(); ++i) {
    std::string line = fmt::format("  {:>6}", CountText(static_cast<int64_t>(i) + 1));
    for (size_t axis = 0; axis < kAxisCount; ++axis) line += "  " + Padded(rows[i][axis], widths[axis]);
    out += Cut(std::move(line), options.width) + "\n";
  }
  const int64_t rest = grid.cells() - static_cast<int64_t>(rows.size());
  if (rest > 0) out += fmt::format("          and {} more\n", CountText(rest));
  return out;
}

}  // namespace

CellLister::CellLister(const SweepSpec& spec, const Grid& grid, const Catalog& catalog) : grid_(grid) {
  for (const Axis axis : kAllAxes) labels_[static_cast<size_t>(axis)] = ValueLabels(spec, catalog, axis);
}

std::optional<CellLister::Cell> CellLister::Next() {
  while (next_ < grid_.combinations() && grid_.IsExcluded(next_)) ++next_;
  if (next_ >= grid_.combinations()) return std::nullopt;
  Cell cell;
  cell.index = next_++;
  const std::array<size_t, kAxisCount> position = grid_.Position(cell.index);
  for (size_t axis = 0; axis < kAxisCount; ++axis) cell.labels.push_back(labels_[axis][position[axis]]);
  return cell;
}

std::string RenderPlan(const SweepSpec& spec, const Grid& grid, const Catalog& catalog,
                       const PlanOptions& options) {
  std::string out = fmt::format("sweep      {}\ndata set   {}\n", spec.name, spec.dataset);
  out += Wrapped("training   ", TrainingText(spec.training), options.width);
  out += Wrapped("objective  ", ObjectiveText(spec), options.width);
  out += Wrapped("seeds      ", SeedsText(spec.seeds), options.width);
  out += AxesText(spec, catalog, options.width);
  out += ExclusionsText(spec, grid, options.width);
  out += TotalsText(spec, grid);
  out += ToTrainText(spec, grid, options);
  out += CellsText(spec, grid, catalog, options);
  return out;
}

Json PlanToJson(const SweepSpec& spec, const Grid& grid, const Catalog& catalog, const PlanOptions& options) {
  Json axes = Json::array();
  for (const Axis axis : kAllAxes) {
    axes.push_back({{"axis", std::string(AxisName(axis))},
                    {"values", ValueLabels(spec, catalog, axis)},
                    {"duplicates", spec.duplicates[static_cast<size_t>(axis)]}});
  }
  Json rules = Json::array();
  for (size_t i = 0; i < spec.exclude.size(); ++i) {
    rules.push_back({{"line", spec.exclude[i].line},
                     {"rule", spec.exclude[i].text},
                     {"removed", grid.excluded_by_rule()[i]}});
  }
  const EpochBounds to_train = EpochsToTrain(spec, grid, options.share);
  Json cells = Json::array();
  CellLister lister(spec, grid, catalog);
  while (static_cast<int64_t>(cells.size()) < options.max_cells) {
    const std::optional<CellLister::Cell> cell = lister.Next();
    if (!cell) break;
    cells.push_back({{"index", cell->index}, {"labels", cell->labels}});
  }
  return {{"name", spec.name},
          {"dataset", spec.dataset},
          {"training", TrainingToJson(spec.training)},
          {"objective", ObjectiveToJson(spec.objective)},
          {"seeds", spec.seeds},
          {"axes", std::move(axes)},
          {"exclude", std::move(rules)},
          {"combinations", grid.combinations()},
          {"excluded", grid.combinations() - grid.cells()},
          {"cells", grid.cells()},
          {"jobs", grid.jobs()},
          {"epochs", grid.jobs() * spec.training.epochs},
          {"epochs_to_train", {{"at_least", to_train.at_least}, {"at_most", to_train.at_most}}},
          {"content_hash", SweepContentHash(spec)},
          {"first_cells", std::move(cells)}};
}

}  // namespace gridsweep
