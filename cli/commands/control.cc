#include "cli/commands/commands.h"
#include "cli/connection.h"
#include "cli/sweep_watch.h"
#include "common/results/format_number.h"

namespace gridsweep {
namespace {

struct ActionText {
  v1::SweepAction action;
  const char* name;
  const char* summary;
  const char* details;
};

constexpr ActionText kActions[] = {
    {v1::PAUSE, "pause", "Start no new jobs of a sweep; running ones go on",
     "\nRepeating it does no harm. gridsweep resume takes it back.\n\nExample:\n  gridsweep pause "
     "emnist-baseline"},
    {v1::RESUME, "resume", "Start jobs of a paused sweep again",
     "\nRepeating it does no harm.\n\nExample:\n  gridsweep resume emnist-baseline"},
    {v1::CANCEL, "cancel", "End a sweep: its pending and running jobs become cancelled",
     "\nResults so far are kept. gridsweep retry starts the cancelled jobs anew.\n\nExample:\n  gridsweep "
     "cancel 3"},
    {v1::RETRY, "retry", "Start a sweep's failed and cancelled jobs anew, with fresh counters",
     "\nJobs with a result, also diverged ones, never run again.\n\nExample:\n  gridsweep retry 3"}};

const ActionText& Find(v1::SweepAction action) {
  for (const ActionText& text : kActions) {
    if (text.action == action) return text;
  }
  return kActions[0];
}

class ControlCommand : public Command {
 public:
  explicit ControlCommand(v1::SweepAction action) : text_(Find(action)) {}
  std::string name() const override { return text_.name; }
  std::string summary() const override { return text_.summary; }

  void Declare(CLI::App& app) override {
    app.add_option("SWEEP", sweep_, "The sweep's id, or its name for the newest of that name")->required();
    flags_.Declare(app);
    app.footer(text_.details);
  }

  absl::StatusOr<int> Run(Context& context) override {
    GS_ASSIGN_OR_RETURN(const auto connection, Connect(flags_, Purpose::kChange, context));
    GS_ASSIGN_OR_RETURN(const v1::SweepSummary sweep,
                        connection->client().ControlSweep(sweep_, text_.action));
    const v1::JobCounts& jobs = sweep.jobs();
    *context.err.stream << fmt::format(
        "sweep {} '{}' is {}: {} of {} jobs done, {} running, {} pending{}\n", sweep.id(), sweep.name(),
        sweep.state(), FormatCount(DoneJobs(jobs)), FormatCount(TotalJobs(jobs)), FormatCount(jobs.running()),
        FormatCount(jobs.pending()),
        jobs.cancelled() > 0 ? fmt::format(", {} cancelled", FormatCount(jobs.cancelled())) : "");
    return kExitOk;
  }

 private:
  const ActionText& text_;
  std::string sweep_;
  CoordinatorFlags flags_;
};

}  // namespace

std::unique_ptr<Command> MakeControlCommand(v1::SweepAction action) {
  return std::make_unique<ControlCommand>(action);
}

}  // namespace gridsweep
