#include <filesystem>

#include "cli/commands/commands.h"
#include "cli/connection.h"
#include "cli/report_file.h"
#include "common/results/format_number.h"

namespace gridsweep {
namespace {

constexpr char kDetails[] =
    "\nWrites one HTML file that needs no network: open it from disk, mail it, keep it beside the paper. In it: the ranked table\n"
    "with ties and confidence intervals, what each axis contributes, learning curves, heat maps, confusion matrices and sample\n"
    "predictions of the best cells, failures, cost, the sweep file and the environment.\n\n"
    "Examples:\n"
    "  gridsweep report emnist-baseline -o emnist.html\n"
    "  gridsweep report 3 -o emnist.html --force";

class ReportCommand : public Command {
 public:
  std::string name() const override { return "report"; }
  std::string summary() const override { return "Write a sweep's results as a page to look at"; }

  void Declare(CLI::App& app) override {
    app.add_option("SWEEP", sweep_, "The sweep's id, or its name for the newest of that name")->required();
    app.add_option("-o,--output", output_, "The file to write. Default: sweep-ID.html")->type_name("FILE");
    app.add_flag("--force", force_, "Replace the file if it exists");
    flags_.Declare(app);
    app.footer(kDetails);
  }

  absl::StatusOr<int> Run(Context& context) override {
    context.hold_signals();
    GS_ASSIGN_OR_RETURN(const auto connection, Connect(flags_, Purpose::kRead, context));
    Client& client = connection->client();
    if (output_.empty()) {
      GS_ASSIGN_OR_RETURN(const v1::SweepStatus status, client.GetSweep(sweep_));
      output_ = fmt::format("sweep-{}.html", status.summary().id());
    }
    GS_ASSIGN_OR_RETURN(const int64_t bytes, WriteReportFile(client, sweep_, output_, force_, context));
    *context.out.stream << std::filesystem::absolute(output_).lexically_normal().string() << "\n";
    *context.err.stream << fmt::format("{}; open it in a browser\n", FormatBytes(bytes));
    return kExitOk;
  }

 private:
  std::string sweep_;
  std::string output_;
  bool force_ = false;
  CoordinatorFlags flags_;
};

}  // namespace

std::unique_ptr<Command> MakeReportCommand() {
  return std::make_unique<ReportCommand>();
}

}  // namespace gridsweep
