#include "cli/commands/commands.h"
#include "cli/fetch/fetch_emnist.h"
#include "cli/output_flags.h"
#include "common/data/dataset.h"
#include "common/results/format_number.h"

namespace gridsweep {
namespace {

constexpr char kListDetails[] =
    "\nSets that cannot be used, because files are missing or do not fit together, are listed with what is wrong "
    "and the\n"
    "command that mends it. Labels, headers and file sizes are looked at, not every pixel.\n\n"
    "Example:\n  gridsweep data list --format json";

constexpr char kFetchDetails[] =
    "\nEMNIST comes from the official archive (535.73 MiB), checked by its SHA-256; only the wanted splits are "
    "kept. A\n"
    "mirror's archive may have any size; --sha256 says which content is right. A broken download goes on where "
    "it stopped\n"
    "when the command is repeated. A split that is there but broken is fetched anew. Fashion-MNIST is a Debian "
    "package.\n\n"
    "Examples:\n"
    "  gridsweep data fetch emnist\n"
    "  gridsweep data fetch emnist --split letters,digits --keep-archive\n"
    "  gridsweep data fetch emnist --from gzip.zip          on a machine without a network\n"
    "  gridsweep data fetch emnist --url http://mirror/gzip.zip";

class DataCommand : public Command {
 public:
  std::string name() const override { return "data"; }
  std::string summary() const override { return "List the data sets on this machine, or fetch one"; }

  void Declare(CLI::App& app) override {
    app.require_subcommand(1);
    list_ = app.add_subcommand("list", "Show which data sets are here, where, and how large");
    list_
        ->add_option("--data-dir", data_dirs_,
                     "Folder to look in; may be repeated. Default: the usual places")
        ->type_name("DIR")
        ->allow_extra_args(false);
    format_.Declare(*list_);
    list_->footer(kListDetails);
    DeclareFetch(*app.add_subcommand("fetch", "Download a data set"));
    app.footer("\nExamples:\n  gridsweep data list\n  gridsweep data fetch emnist --help");
  }

  absl::StatusOr<int> Run(Context& context) override {
    return list_->parsed() ? List(context) : Fetch(context);
  }

 private:
  void DeclareFetch(CLI::App& app) {
    app.add_option("NAME", name_, "emnist, emnist-SPLIT or fashion-mnist")->required();
    app.add_option(
           "--split", splits_,
           "Splits of EMNIST, separated by commas, or all: balanced, byclass, bymerge, letters, digits, mnist")
        ->delimiter(',')
        ->allow_extra_args(false)
        ->type_name("SPLIT")
        ->default_str("balanced");
    app.add_option("--to", fetch_.directory, "Folder for the files. Default: " + DefaultDataDirs().front())
        ->type_name("DIR");
    CLI::Option* url =
        app.add_option("--url", fetch_.url, "Download the archive from here instead")->type_name("URL");
    app.add_option("--from", fetch_.from, "Use this archive instead of downloading it")
        ->excludes(url)
        ->type_name("FILE");
    app.add_option("--sha256", fetch_.sha256,
                   "Checksum that the archive must have, if a mirror packed its own")
        ->type_name("HEX");
    app.add_flag("--keep-archive", fetch_.keep_archive,
                 "Keep the archive in the folder, for other splits later");
    app.add_flag("--force", fetch_.force, "Fetch it even if it is there already");
    app.add_option("--stall-timeout", stall_seconds_,
                   "Break off a connection that brings nothing for this long. Default: 60")
        ->check(CLI::Range(1, 3600))
        ->option_text("SECONDS");
    app.footer(kFetchDetails);
  }

  absl::StatusOr<int> List(Context& context) {
    const std::vector<std::string> directories = data_dirs_.empty() ? DefaultDataDirs() : data_dirs_;
    Table table;
    table.columns = {{.key = "name", .header = "data set"},
                     {.key = "train", .header = "train", .align = Align::kRight},
                     {.key = "test", .header = "test", .align = Align::kRight},
                     {.key = "classes", .header = "classes", .align = Align::kRight, .priority = 1},
                     {.key = "bytes", .header = "on disk", .align = Align::kRight, .priority = 2},
                     {.key = "directory", .header = "where", .min_width = 16},
                     {.key = "problem", .header = "problem", .min_width = 16}};
    for (const InspectedDataset& set : InspectDatasets(directories)) {
      const auto number = [&](int64_t DatasetSummary::*member) {
        return set.summary.ok() ? Cell(FormatCount((*set.summary).*member), (*set.summary).*member) : Cell();
      };
      table.rows.push_back({Cell::Text(set.files.name), number(&DatasetSummary::train_size),
                            number(&DatasetSummary::test_size), number(&DatasetSummary::classes),
                            Cell(FormatBytes(set.files.bytes), set.files.bytes),
                            Cell::Text(set.files.directory),
                            Cell::Text(set.summary.ok() ? "" : Message(set.summary.status()))});
    }
    PrintTable(
        table, format_,
        fmt::format(
            "no data sets in {}; gridsweep data fetch emnist, or sudo apt install dataset-fashion-mnist",
            fmt::join(directories, ", ")),
        context);
    return kExitOk;
  }

  absl::StatusOr<int> Fetch(Context& context) {
    if (name_ == "fashion-mnist") {
      const absl::StatusOr<DatasetFiles> files = FindUsableDataset(name_, DefaultDataDirs());
      if (absl::IsNotFound(files.status()))
        return NotFound("fashion-mnist is a Debian package: sudo apt install dataset-fashion-mnist");
      GS_RETURN_IF_ERROR(files.status());
      *context.err.stream << fmt::format("fashion-mnist is in {}\n", files->directory);
      return kExitOk;
    }
    if (name_.starts_with("emnist-")) {
      if (!splits_.empty())
        return InvalidArgument("'{}' names a split already: give emnist --split {},{}", name_,
                               name_.substr(7), fmt::join(splits_, ","));
      fetch_.splits = {name_.substr(7)};
    } else if (name_ != "emnist") {
      return InvalidArgument(
          "'{}' cannot be fetched; expected emnist, emnist-SPLIT or fashion-mnist. Any data set in the IDX "
          "format can be "
          "put into {} by hand",
          name_, DefaultDataDirs().front());
    } else if (!splits_.empty()) {
      fetch_.splits = splits_;
    }
    if (fetch_.directory.empty()) fetch_.directory = DefaultDataDirs().front();
    fetch_.stall_timeout = absl::Seconds(stall_seconds_);
    context.hold_signals();
    const absl::Status status = FetchEmnist(fetch_, context);
    // Not reaching a server of data has nothing to do with coordinators.
    if (absl::IsUnavailable(status)) return FailedPrecondition("{}", Message(status));
    if (absl::IsCancelled(status)) {
      *context.err.stream << "interrupted; the same command goes on where it stopped" << std::endl;
      return kExitInterrupted;
    }
    GS_RETURN_IF_ERROR(status);
    return kExitOk;
  }

  CLI::App* list_ = nullptr;
  std::vector<std::string> data_dirs_;
  FormatFlag format_;
  std::string name_;
  std::vector<std::string> splits_;
  int stall_seconds_ = 60;
  FetchEmnistSpec fetch_;
};

}  // namespace

std::unique_ptr<Command> MakeDataCommand() {
  return std::make_unique<DataCommand>();
}

}  // namespace gridsweep
