#include <filesystem>

#include "cli/commands/commands.h"
#include "cli/connection.h"
#include "cli/export/csv_export.h"
#include "cli/export/folder_writer.h"
#include "cli/export/tensorboard_export.h"
#include "common/results/format_number.h"

namespace gridsweep {
namespace {

constexpr char kDetails[] =
    "\n--to writes ranking.csv, jobs.csv, epochs.csv, confusions.csv and predictions.csv (RFC 4180, all digits) with a data\n"
    "dictionary: README.md to read, datapackage.json for programs. --tensorboard writes event files, one run a job that has\n"
    "epochs, with the scalars of every epoch and the tables of the HParams dashboard, where the seeds of a cell are one group. Either folder\n"
    "appears when everything in it is written, or not at all.\n\n"
    "Examples:\n"
    "  gridsweep export emnist-baseline --to results\n"
    "  gridsweep export 3 --tensorboard runs && tensorboard --logdir runs";

class ExportCommand : public Command {
 public:
  std::string name() const override { return "export"; }
  std::string summary() const override { return "Write a sweep's results as CSV files or for TensorBoard"; }

  void Declare(CLI::App& app) override {
    app.add_option("SWEEP", sweep_, "The sweep's id, or its name for the newest of that name")->required();
    app.add_option("--to", to_, "Write CSV files with a data dictionary into this new or empty folder")
        ->type_name("DIR");
    app.add_option("--tensorboard", tensorboard_,
                   "Write event files for TensorBoard into this new or empty folder")
        ->type_name("DIR");
    flags_.Declare(app);
    app.footer(kDetails);
  }

  absl::StatusOr<int> Run(Context& context) override {
    if (to_.empty() && tensorboard_.empty())
      return InvalidArgument("say where to: gridsweep export {} --to DIR, or --tensorboard DIR", sweep_);
    // Before anything is written: both or neither.
    for (const std::string& folder : {to_, tensorboard_}) {
      if (!folder.empty()) GS_RETURN_IF_ERROR(CheckNewFolder(folder));
    }
    // What is written is to be removed when the user interrupts.
    context.hold_signals();
    GS_ASSIGN_OR_RETURN(const auto connection, Connect(flags_, Purpose::kRead, context));
    Client& client = connection->client();
    GS_ASSIGN_OR_RETURN(const v1::SweepStatus status, client.GetSweep(sweep_));
    const v1::SweepSummary& sweep = status.summary();
    GS_ASSIGN_OR_RETURN(const std::vector<ExportedJob> jobs, ListExportedJobs(client, sweep.id()));
    if (!to_.empty()) {
      GS_RETURN_IF_ERROR(ExportCsv(client, sweep, jobs, to_, context));
      Say(to_, "README.md says what the columns mean", jobs.size(), context);
    }
    if (!tensorboard_.empty()) {
      GS_RETURN_IF_ERROR(ExportTensorboard(client, sweep, jobs, tensorboard_, context));
      Say(tensorboard_, fmt::format("look at it with: tensorboard --logdir {}", tensorboard_), jobs.size(),
          context);
    }
    return kExitOk;
  }

 private:
  static void Say(const std::string& folder, const std::string& hint, size_t jobs, Context& context) {
    *context.err.stream << fmt::format("{} of {} job{}; {}\n", std::filesystem::path(folder).string(),
                                       FormatCount(static_cast<int64_t>(jobs)), jobs == 1 ? "" : "s", hint);
  }

  std::string sweep_;
  std::string to_;
  std::string tensorboard_;
  CoordinatorFlags flags_;
};

}  // namespace

std::unique_ptr<Command> MakeExportCommand() {
  return std::make_unique<ExportCommand>();
}

}  // namespace gridsweep
