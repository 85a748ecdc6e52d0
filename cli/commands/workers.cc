#include "cli/commands/commands.h"
#include "cli/connection.h"
#include "cli/convert_results.h"
#include "cli/output_flags.h"

namespace gridsweep {
namespace {

class WorkersCommand : public Command {
 public:
  std::string name() const override { return "workers"; }
  std::string summary() const override { return "List the workers a coordinator has seen"; }

  void Declare(CLI::App& app) override {
    flags_.Declare(app);
    format_.Declare(app);
    app.footer("\nExamples:\n  gridsweep workers\n  gridsweep workers --format json");
  }

  absl::StatusOr<int> Run(Context& context) override {
    GS_ASSIGN_OR_RETURN(const auto connection, Connect(flags_, Purpose::kRead, context));
    GS_ASSIGN_OR_RETURN(const v1::ListWorkersResponse response, connection->client().ListWorkers());
    std::vector<WorkerLine> lines;
    for (const v1::WorkerSummary& worker : response.workers()) lines.push_back(FromProto(worker));
    PrintTable(WorkerTable(lines, context.clock->Now().wall), format_,
               "no workers yet; gridsweep-worker --coordinator ADDR starts one", context);
    return kExitOk;
  }

 private:
  CoordinatorFlags flags_;
  FormatFlag format_;
};

}  // namespace

std::unique_ptr<Command> MakeWorkersCommand() {
  return std::make_unique<WorkersCommand>();
}

}  // namespace gridsweep
