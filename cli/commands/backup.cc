#include "cli/commands/commands.h"
#include "cli/connection.h"
#include "common/base/atomic_file.h"
#include "common/results/format_number.h"

namespace gridsweep {
namespace {

class BackupCommand : public Command {
 public:
  std::string name() const override { return "backup"; }
  std::string summary() const override { return "Copy the results database, also while sweeps run"; }

  void Declare(CLI::App& app) override {
    app.add_option("FILE", path_, "The copy; must not exist yet")->required();
    flags_.Declare(app);
    app.footer(
        "\nThe copy is consistent, complete and a database like any other: gridsweep rank --db FILE reads it, and a\n"
        "coordinator can go on from it. It appears under its name when it is whole.\n\n"
        "Examples:\n"
        "  gridsweep backup sweeps-$(date +%F).db\n"
        "  gridsweep backup copy.db --coordinator node1:7077");
  }

  absl::StatusOr<int> Run(Context& context) override {
    context.hold_signals();  // an interrupted copy is removed
    GS_ASSIGN_OR_RETURN(AtomicFile file, AtomicFile::Create(path_, 0666, Existing::kKeep));
    GS_ASSIGN_OR_RETURN(const auto connection, Connect(flags_, Purpose::kRead, context));
    int64_t bytes = 0, total = 0;
    GS_RETURN_IF_ERROR(connection->client().Backup(
        [&](const v1::BackupPiece& piece) -> absl::Status {
          if (piece.total() > 0) total = piece.total();
          bytes += static_cast<int64_t>(piece.data().size());
          return file.Write(piece.data());
        },
        [&] { return context.interruptions() > 0; }));
    if (bytes == 0 || bytes != total)
      return Unavailable("only {} of {} bytes arrived; repeat the command", bytes, total);
    GS_RETURN_IF_ERROR(file.Finish());
    *context.err.stream << fmt::format("{}: {}\n", path_, FormatBytes(bytes));
    return kExitOk;
  }

 private:
  std::string path_;
  CoordinatorFlags flags_;
};

}  // namespace

std::unique_ptr<Command> MakeBackupCommand() {
  return std::make_unique<BackupCommand>();
}

}  // namespace gridsweep
