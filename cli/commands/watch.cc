#include "cli/commands/commands.h"
#include "cli/connection.h"
#include "cli/progress.h"
#include "cli/sweep_watch.h"
#include "common/base/shell_word.h"

namespace gridsweep {
namespace {

class WatchCommand : public Command {
 public:
  std::string name() const override { return "watch"; }
  std::string summary() const override { return "Follow a sweep's progress to its end"; }

  void Declare(CLI::App& app) override {
    app.add_option("SWEEP", sweep_, "The sweep's id, or its name for the newest of that name")->required();
    flags_.Declare(app);
    app.footer(
        "\nRedraws in place on a terminal and prints a line now and then elsewhere. Ctrl-C ends the "
        "watching, not the\n"
        "sweep.\n\n"
        "Exit codes: 0 the sweep is done, 1 done with failed jobs, 3 no coordinator, 130 interrupted\n\n"
        "Example:\n  gridsweep watch emnist-baseline");
  }

  absl::StatusOr<int> Run(Context& context) override {
    context.hold_signals();
    GS_ASSIGN_OR_RETURN(const auto connection, Connect(flags_, Purpose::kRead, context));
    ProgressDisplay display(context.err, flags_.Repeated());
    GS_ASSIGN_OR_RETURN(const v1::SweepStatus status,
                        WatchSweep(connection->client(), sweep_, context, display, absl::InfiniteDuration(),
                                   [] { return absl::OkStatus(); }));
    if (context.interruptions() > 0) return kExitInterrupted;
    display.Say(fmt::format("{}; gridsweep rank {}{} shows the table", RenderProgressLine(status),
                            ShellWord(sweep_), flags_.Repeated()));
    return SweepExitCode(status.summary());
  }

 private:
  std::string sweep_;
  CoordinatorFlags flags_;
};

}  // namespace

std::unique_ptr<Command> MakeWatchCommand() {
  return std::make_unique<WatchCommand>();
}

}  // namespace gridsweep
