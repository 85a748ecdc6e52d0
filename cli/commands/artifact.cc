#include "cli/commands/commands.h"
#include "cli/connection.h"
#include "cli/convert_results.h"
#include "cli/output_flags.h"
#include "common/base/atomic_file.h"
#include "common/base/sha256.h"
#include "common/results/format_number.h"

namespace gridsweep {
namespace {

class ArtifactCommand : public Command {
 public:
  std::string name() const override { return "artifact"; }
  std::string summary() const override { return "Fetch the trained weights of a sweep's best jobs"; }

  void Declare(CLI::App& app) override {
    app.require_subcommand(1);
    list_ = app.add_subcommand("list", "List the jobs of a sweep whose weights are kept, best first");
    list_->add_option("SWEEP", sweep_, "Its number, or its name (the newest of that name)")->required();
    flags_of_list_.Declare(*list_);
    format_.Declare(*list_);
    CLI::App& get = *app.add_subcommand("get", "Write the weights of a job to a file");
    get.add_option("JOB", job_, "Number of the job, as rank and artifact list show it")->required();
    get.add_option("-o,--output", path_, "The file")->required()->type_name("FILE");
    get.add_flag("--force", force_, "Replace the file if there is one");
    flags_of_get_.Declare(get);
    get.footer(
        "\nThe file is in the safetensors format: it loads with the safetensors package of Python, and needs no trust. It\n"
        "appears under its name when it is whole and its SHA-256 has been checked.\n\n"
        "Example:\n  gridsweep artifact get 17 -o model.safetensors");
    app.footer(
        "\nExamples:\n  gridsweep artifact list my-sweep\n  gridsweep artifact get 17 -o model.safetensors");
  }

  absl::StatusOr<int> Run(Context& context) override {
    return list_->parsed() ? List(context) : Get(context);
  }

 private:
  absl::StatusOr<int> List(Context& context) {
    GS_ASSIGN_OR_RETURN(const auto connection, Connect(flags_of_list_, Purpose::kRead, context));
    GS_ASSIGN_OR_RETURN(const v1::ListModelsResponse response, connection->client().ListModels(sweep_));
    const std::string metric = response.sweep().objective().metric();
    Table table;
    table.columns = {{.key = "job", .header = "job", .align = Align::kRight}};
    const std::vector<std::string> axes = AllAxisNames();
    for (const std::string& axis : axes)
      table.columns.push_back({.key = axis, .header = axis, .min_width = 8});
    table.columns.push_back({.key = "seed", .header = "seed", .align = Align::kRight});
    table.columns.push_back({.key = "objective", .header = metric, .align = Align::kRight});
    table.columns.push_back({.key = "epoch", .header = "epoch", .align = Align::kRight, .priority = 1});
    table.columns.push_back({.key = "bytes", .header = "size", .align = Align::kRight, .priority = 2});
    table.columns.push_back({.key = "sha256", .header = "SHA-256", .audience = Audience::kMachines});
    for (const v1::ModelSummary& model : response.models()) {
      std::vector<Cell> row = {Cell::Integer(model.job())};
      for (size_t axis = 0; axis < axes.size(); ++axis) {
        const int index = static_cast<int>(axis);
        row.push_back(Cell::Text(index < model.labels_size() ? model.labels(index) : ""));
      }
      row.push_back(Cell::Integer(model.seed()));
      row.emplace_back(FormatMetric(metric, model.objective()), NumberToJson(model.objective()));
      row.push_back(Cell::Integer(model.epoch()));
      row.emplace_back(FormatBytes(model.bytes()), model.bytes());
      row.push_back(Cell::Text(model.sha256()));
      table.rows.push_back(std::move(row));
    }
    PrintTable(table, format_, "no weights of this sweep are kept (yet)", context);
    return kExitOk;
  }

  absl::StatusOr<int> Get(Context& context) {
    context.hold_signals();  // half a file is removed
    GS_ASSIGN_OR_RETURN(AtomicFile file,
                        AtomicFile::Create(path_, 0666, force_ ? Existing::kReplace : Existing::kKeep));
    GS_ASSIGN_OR_RETURN(const auto connection, Connect(flags_of_get_, Purpose::kRead, context));
    v1::ModelSummary summary;
    Sha256 hash;
    int64_t bytes = 0;
    GS_RETURN_IF_ERROR(connection->client().GetModel(
        job_,
        [&](const v1::ModelPiece& piece) -> absl::Status {
          if (piece.has_summary()) {
            summary = piece.summary();
            return absl::OkStatus();
          }
          bytes += static_cast<int64_t>(piece.data().size());
          hash.Update(piece.data());
          return file.Write(piece.data());
        },
        [&] { return context.interruptions() > 0; }));
    if (bytes != summary.bytes())
      return Unavailable("only {} of {} bytes arrived; repeat the command", bytes, summary.bytes());
    if (hash.HexDigest() != summary.sha256())
      return DataLoss("what arrived is not what was sent; repeat the command");
    GS_RETURN_IF_ERROR(file.Finish());
    *context.err.stream << fmt::format("{}: {}, job {} after epoch {}\n", path_, FormatBytes(bytes), job_,
                                       summary.epoch());
    return kExitOk;
  }

  CLI::App* list_ = nullptr;
  std::string sweep_;
  int64_t job_ = 0;
  std::string path_;
  bool force_ = false;
  CoordinatorFlags flags_of_list_, flags_of_get_;
  FormatFlag format_;
};

}  // namespace

std::unique_ptr<Command> MakeArtifactCommand() {
  return std::make_unique<ArtifactCommand>();
}

}  // namespace gridsweep
