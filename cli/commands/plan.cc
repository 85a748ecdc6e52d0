#include <algorithm>

#include "cli/commands/commands.h"
#include "cli/output_flags.h"
#include "cli/sweep_file.h"
#include "common/data/dataset.h"
#include "common/results/format_number.h"
#include "common/results/text_width.h"
#include "common/sweep/grid.h"

namespace gridsweep {
namespace {

constexpr char kDetails[] =
    "\nReads and checks the file, expands the grid, and runs nothing. Shows the axes and their values, what "
    "the exclusions\n"
    "remove and which rule does, how many values were folded into equal ones, and how much there is to "
    "train.\n\n"
    "Examples:\n"
    "  gridsweep plan sweeps/quickstart.yaml\n"
    "  gridsweep plan my.yaml --cells                     every cell that will be trained\n"
    "  gridsweep plan my.yaml --cells --format csv\n"
    "  gridsweep plan my.yaml --format json";

std::vector<std::string> ValueLabels(const SweepSpec& spec, Axis axis) {
  std::vector<std::string> labels;
  for (const AxisValue& value : spec.axis(axis)) {
    labels.push_back(AxisValueLabel(Catalog::Builtin(), axis, value));
  }
  return labels;
}

Table CellTable(const Grid& grid) {
  Table table;
  table.columns.push_back({.key = "cell", .header = "cell", .align = Align::kRight});
  for (const Axis axis : kAllAxes) {
    const std::string name(AxisName(axis));
    table.columns.push_back({.key = name, .header = name, .min_width = 6});
  }
  for (int64_t index = 0; index < grid.combinations(); ++index) {
    if (grid.IsExcluded(index)) continue;
    std::vector<Cell> row = {Cell::Integer(index)};
    for (const std::string& label : AxisLabels(Catalog::Builtin(), grid.Job(index, 0)))
      row.push_back(Cell::Text(label));
    table.rows.push_back(std::move(row));
  }
  return table;
}

// `name`, a right-aligned count and `text`, the latter wrapped at commas under itself.
std::string Entry(const std::string& name, const std::string& count, const std::string& text, int width) {
  constexpr int kIndent = 28;
  std::string result = PadRight(name, 16) + PadLeft(count, 10) + "  ";
  int column = kIndent;
  size_t begin = 0;
  while (begin < text.size()) {
    const size_t comma = text.find(", ", begin);
    const size_t end = comma == std::string::npos ? text.size() : comma + 2;
    const std::string piece = text.substr(begin, end - begin);
    const int piece_width = DisplayWidth(piece);
    if (width > 0 && column + piece_width > width + 1 && column > kIndent) {
      result.erase(result.find_last_not_of(' ') + 1);
      result += "\n" + std::string(kIndent, ' ');
      column = kIndent;
    }
    result += piece;
    column += piece_width;
    begin = end;
  }
  result.erase(result.find_last_not_of(' ') + 1);
  return result + "\n";
}

std::string Joined(const std::vector<std::string>& parts) {
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string TrainingText(const SweepSpec& spec) {
  const TrainingSpec& training = spec.training;
  std::string text = fmt::format("{} epoch{} of batches of {}", training.epochs,
                                 training.epochs == 1 ? "" : "s", training.batch_size);
  if (training.samples > 0) text += fmt::format(" on {} images", FormatCount(training.samples));
  text += training.validation > 0
              ? fmt::format(", {:.4g} % held out for validation", training.validation * 100)
              : ", nothing held out for validation";
  return text;
}

class PlanCommand : public Command {
 public:
  std::string name() const override { return "plan"; }
  std::string summary() const override { return "Show what a sweep file would run; runs nothing"; }

  void Declare(CLI::App& app) override {
    app.add_option("FILE", path_, "The sweep file; - for standard input")->required();
    app.add_flag("--cells", cells_, "List every cell that will be trained");
    app.add_option("--data-dir", data_dirs_, "Folder to look for data sets in; may be repeated")
        ->type_name("DIR")
        ->allow_extra_args(false);
    format_.Declare(app);
    app.footer(kDetails);
  }

  absl::StatusOr<int> Run(Context& context) override {
    GS_ASSIGN_OR_RETURN(const SweepFile file, ReadSweepFile(path_));
    const Grid grid(file.spec);
    if (cells_ || format_.format == OutputFormat::kCsv || format_.format == OutputFormat::kMarkdown) {
      PrintTable(CellTable(grid), format_, "no cells", context);
    } else if (format_.format == OutputFormat::kJson) {
      *context.out.stream << ToJson(file.spec, grid).dump(2) << "\n";
    } else {
      *context.out.stream << Text(file.spec, grid, context.out.screen.width);
    }
    return kExitOk;
  }

 private:
  // Where the data set is, or why it is not there.
  std::string DataText(const SweepSpec& spec) const {
    const auto files = FindDataset(spec.dataset, data_dirs_.empty() ? DefaultDataDirs() : data_dirs_);
    return files.ok() ? fmt::format("found in {}", files->directory) : Message(files.status());
  }

  std::string Text(const SweepSpec& spec, const Grid& grid, int width) const {
    const auto entry = [&](const std::string& name, int64_t count, const std::string& text) {
      return Entry(name, FormatCount(count), text, width);
    };
    std::string text = fmt::format("{}: {}\n", spec.name, TrainingText(spec));
    text += fmt::format("ranked by {} ({}, {} epoch)\n\n", MetricName(spec.objective.metric),
                        spec.objective.goal == Goal::kMin ? "lowest" : "highest",
                        EpochRuleName(spec.objective.epoch));
    for (const Axis axis : kAllAxes) {
      text += entry(std::string(AxisName(axis)), static_cast<int64_t>(spec.axis(axis).size()),
                    Joined(ValueLabels(spec, axis)));
    }
    text += entry("combinations", grid.combinations(), "");
    for (size_t rule = 0; rule < spec.exclude.size(); ++rule) {
      const int64_t removed = grid.excluded_by_rule()[rule];
      text += entry("excluded", removed,
                    fmt::format("line {}: {}{}", spec.exclude[rule].line, Printable(spec.exclude[rule].text),
                                removed == 0 ? " (removes nothing that earlier rules left)" : ""));
    }
    for (const Axis axis : kAllAxes) {
      const int64_t folded = spec.duplicates[static_cast<size_t>(axis)];
      if (folded > 0)
        text += entry("duplicates", folded, fmt::format("{} values equal to another", AxisName(axis)));
    }
    text += entry("cells", grid.cells(), "");
    text +=
        entry("seeds", static_cast<int64_t>(spec.seeds.size()),
              fmt::format("{}", fmt::join(spec.seeds.begin(), spec.seeds.begin() + ShownSeeds(spec), ", ")) +
                  (spec.seeds.size() > kMaxSeeds ? ", …" : ""));
    text +=
        entry("jobs", grid.jobs(), fmt::format("{} epochs", FormatCount(grid.jobs() * spec.training.epochs)));
    return text + fmt::format("\ndata set {}: {}\n", spec.dataset, DataText(spec));
  }

  Json ToJson(const SweepSpec& spec, const Grid& grid) const {
    Json axes = Json::object();
    for (const Axis axis : kAllAxes) axes[std::string(AxisName(axis))] = ValueLabels(spec, axis);
    Json exclusions = Json::array();
    for (size_t rule = 0; rule < spec.exclude.size(); ++rule) {
      exclusions.push_back({{"line", spec.exclude[rule].line},
                            {"rule", Printable(spec.exclude[rule].text)},
                            {"combinations", grid.excluded_by_rule()[rule]}});
    }
    int64_t duplicates = 0;
    for (const int64_t folded : spec.duplicates) duplicates += folded;
    return {{"name", spec.name},      {"dataset", spec.dataset},
            {"axes", axes},           {"combinations", grid.combinations()},
            {"excluded", exclusions}, {"duplicates", duplicates},
            {"cells", grid.cells()},  {"seeds", spec.seeds},
            {"jobs", grid.jobs()},    {"epochs", grid.jobs() * spec.training.epochs}};
  }

  static constexpr size_t kMaxSeeds = 20;
  static std::ptrdiff_t ShownSeeds(const SweepSpec& spec) {
    return static_cast<std::ptrdiff_t>(std::min(spec.seeds.size(), kMaxSeeds));
  }

  std::string path_;
  bool cells_ = false;
  std::vector<std::string> data_dirs_;
  FormatFlag format_;
};

}  // namespace

std::unique_ptr<Command> MakePlanCommand() {
  return std::make_unique<PlanCommand>();
}

}  // namespace gridsweep
