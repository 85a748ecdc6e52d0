#include "common/sweep/plan.h"

#include "cli/commands/commands.h"
#include "cli/output_flags.h"
#include "cli/sweep_file.h"
#include "common/data/dataset.h"

namespace gridsweep {
namespace {

constexpr char kDetails[] =
    "\nReads and checks the file, expands the grid, and runs nothing. Shows the axes and their values, what "
    "the exclusions\n"
    "remove and which rule does, how many values were folded into equal ones, how much there is to train, "
    "and whether the\n"
    "data set is on this machine. csv and markdown list every cell.\n\n"
    "Examples:\n"
    "  gridsweep plan sweeps/quickstart.yaml\n"
    "  gridsweep plan my.yaml --cells 1000\n"
    "  gridsweep plan my.yaml --format csv\n"
    "  gridsweep plan my.yaml --format json";

constexpr int kPlainWidth = 100;

Table CellTable(const SweepSpec& spec, const Grid& grid) {
  Table table;
  table.columns.push_back({.key = "cell", .header = "cell", .align = Align::kRight});
  for (const Axis axis : kAllAxes) {
    const std::string name(AxisName(axis));
    table.columns.push_back({.key = name, .header = name, .min_width = 6});
  }
  CellLister lister(spec, grid, Catalog::Builtin());
  while (const std::optional<CellLister::Cell> cell = lister.Next()) {
    std::vector<Cell> row = {Cell::Integer(cell->index)};
    for (const std::string& label : cell->labels) row.push_back(Cell::Text(label));
    table.rows.push_back(std::move(row));
  }
  return table;
}

class PlanCommand : public Command {
 public:
  std::string name() const override { return "plan"; }
  std::string summary() const override { return "Show what a sweep file would run; runs nothing"; }

  void Declare(CLI::App& app) override {
    app.add_option("FILE", path_, "The sweep file; - for standard input")->required();
    app.add_option("--cells", options_.max_cells, "List this many cells one by one. Default: 20")
        ->check(CLI::Range(0, 1'000'000'000))
        ->option_text("N");
    app.add_option("--data-dir", data_dirs_, "Folder to look for data sets in; may be repeated")
        ->type_name("DIR")
        ->allow_extra_args(false);
    app.add_flag("!--no-share", options_.share,
                 "As for gridsweep run --no-share: every job trains all its epochs");
    format_.Declare(app);
    app.footer(kDetails);
  }

  absl::StatusOr<int> Run(Context& context) override {
    GS_ASSIGN_OR_RETURN(const SweepFile file, ReadSweepFile(path_));
    const Grid grid(file.spec);
    if (format_.format == OutputFormat::kTable) {
      options_.width =
          static_cast<size_t>(context.out.screen.width > 0 ? context.out.screen.width : kPlainWidth);
      *context.out.stream << RenderPlan(file.spec, grid, Catalog::Builtin(), options_) << "\n"
                          << DataText(file.spec) << "\n";
    } else if (format_.format == OutputFormat::kJson) {
      *context.out.stream << PlanToJson(file.spec, grid, Catalog::Builtin(), options_).dump(2) << "\n";
    } else {
      PrintTable(CellTable(file.spec, grid), format_, "", context);
    }
    return kExitOk;
  }

 private:
  // Where the data set is, or why it is not there.
  std::string DataText(const SweepSpec& spec) const {
    const auto files = FindUsableDataset(spec.dataset, data_dirs_.empty() ? DefaultDataDirs() : data_dirs_);
    if (!files.ok()) return "on this machine it cannot run: " + Message(files.status());
    return fmt::format("data set {} is in {}", spec.dataset, files->directory);
  }

  std::string path_;
  std::vector<std::string> data_dirs_;
  PlanOptions options_;
  FormatFlag format_;
};

}  // namespace

std::unique_ptr<Command> MakePlanCommand() {
  return std::make_unique<PlanCommand>();
}

}  // namespace gridsweep
