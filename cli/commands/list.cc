#include "cli/commands/commands.h"
#include "cli/connection.h"
#include "cli/convert_results.h"
#include "cli/output_flags.h"
#include "common/results/text_width.h"

namespace gridsweep {
namespace {

class ListCommand : public Command {
 public:
  std::string name() const override { return "list"; }
  std::string summary() const override { return "List the sweeps of a database, newest first"; }

  void Declare(CLI::App& app) override {
    flags_.Declare(app);
    format_.Declare(app);
    app.footer("\nExamples:\n  gridsweep list\n  gridsweep list --format json --coordinator node1:7077");
  }

  absl::StatusOr<int> Run(Context& context) override {
    GS_ASSIGN_OR_RETURN(const auto connection, Connect(flags_, Purpose::kRead, context));
    GS_ASSIGN_OR_RETURN(const v1::ListSweepsResponse response, connection->client().ListSweeps());
    std::vector<SweepLine> lines;
    for (const v1::SweepSummary& sweep : response.sweeps()) lines.push_back(FromProto(sweep));
    if (!response.trouble().empty()) *context.err.stream << Printable(response.trouble()) << "\n";
    const std::string command = flags_.Address().empty() ? "run" : "submit";
    PrintTable(SweepTable(lines, context.clock->Now().wall), format_,
               fmt::format("no sweeps yet; gridsweep {} FILE{} makes one", command, flags_.Repeated()),
               context);
    return kExitOk;
  }

 private:
  CoordinatorFlags flags_;
  FormatFlag format_;
};

}  // namespace

std::unique_ptr<Command> MakeListCommand() {
  return std::make_unique<ListCommand>();
}

}  // namespace gridsweep
