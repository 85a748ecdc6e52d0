#include <algorithm>

#include "cli/commands/commands.h"
#include "cli/connection.h"
#include "cli/output_flags.h"
#include "common/results/format_number.h"
#include "common/results/text_width.h"

namespace gridsweep {
namespace {

constexpr absl::Duration kClockSkew = absl::Seconds(5);

class DoctorCommand : public Command {
 public:
  std::string name() const override { return "doctor"; }
  std::string summary() const override { return "Look whether database, disk and clock are well"; }

  void Declare(CLI::App& app) override {
    flags_.Declare(app);
    format_.Declare(app);
    app.footer(
        "\nReads the whole database, of a running coordinator too.\n\n"
        "Exit codes: 0 all is well or only warnings, 1 something is bad\n\n"
        "Examples:\n"
        "  gridsweep doctor\n"
        "  gridsweep doctor --coordinator node1:7077 --format json");
  }

  absl::StatusOr<int> Run(Context& context) override {
    GS_ASSIGN_OR_RETURN(const auto connection, Connect(flags_, Purpose::kRead, context));
    GS_ASSIGN_OR_RETURN(v1::DiagnoseResponse response, connection->client().Diagnose());
    AddClock(absl::FromUnixMicros(response.now_us()), context.clock->Now().wall, response);
    if (format_.format == OutputFormat::kTable) {
      for (const v1::DiagnosisCheck& check : response.checks()) PrintForPeople(check, context);
    } else {
      PrintTable(MakeTable(response), format_, "", context);
    }
    const bool bad = std::any_of(response.checks().begin(), response.checks().end(),
                                 [](const v1::DiagnosisCheck& check) { return check.state() == "bad"; });
    return bad ? kExitFailedJobs : kExitOk;
  }

 private:
  static void PrintForPeople(const v1::DiagnosisCheck& check, const Context& context) {
    const std::string line = fmt::format("{} {}: {}", check.name(), check.state(), Printable(check.text()));
    *context.out.stream << WrapText(line, context.out.screen.width);
  }

  static Table MakeTable(const v1::DiagnoseResponse& response) {
    Table table;
    for (const char* key : {"check", "state", "finding"})
      table.columns.push_back({.key = key, .header = key});
    for (const v1::DiagnosisCheck& check : response.checks())
      table.rows.push_back({Cell::Text(check.name()), Cell::Text(check.state()), Cell::Text(check.text())});
    return table;
  }

  static void AddClock(absl::Time theirs, absl::Time ours, v1::DiagnoseResponse& response) {
    const absl::Duration ahead = theirs - ours;
    v1::DiagnosisCheck* const check = response.add_checks();
    check->set_name("clock");
    check->set_state("ok");
    check->set_text("that of the coordinator agrees with this machine's");
    if (absl::AbsDuration(ahead) <= kClockSkew) return;
    check->set_state("warning");
    check->set_text(fmt::format(
        "that of the coordinator is {} {} this machine's; leases do not depend on it, the times in tables do",
        FormatDuration(absl::ToDoubleSeconds(absl::AbsDuration(ahead))),
        ahead > absl::ZeroDuration() ? "ahead of" : "behind"));
  }

  CoordinatorFlags flags_;
  FormatFlag format_;
};

}  // namespace

std::unique_ptr<Command> MakeDoctorCommand() {
  return std::make_unique<DoctorCommand>();
}

}  // namespace gridsweep
