#include <algorithm>
#include <iterator>

#include "cli/commands/commands.h"
#include "cli/fetch/fetch_emnist.h"
#include "cli/output_flags.h"
#include "common/data/dataset.h"
#include "common/data/idx.h"
#include "common/results/format_number.h"

namespace gridsweep {
namespace {

constexpr char kFetchDetails[] =
    "\nEMNIST comes from the official archive (535.73 MiB), checked by its SHA-256; only the wanted split is "
    "kept. A broken\n"
    "download goes on where it stopped when the command is repeated. Fashion-MNIST is a Debian package.\n\n"
    "Examples:\n"
    "  gridsweep data fetch emnist\n"
    "  gridsweep data fetch emnist --split letters,digits --keep-archive\n"
    "  gridsweep data fetch emnist --from gzip.zip          on a machine without a network\n"
    "  gridsweep data fetch emnist --url http://mirror/gzip.zip";

struct ImageCounts {
  int64_t train = 0;
  int64_t test = 0;
  int64_t classes = 0;
};

// From the label files, which are small: the images are not read.
absl::StatusOr<ImageCounts> CountImages(const DatasetFiles& files) {
  GS_ASSIGN_OR_RETURN(const std::vector<uint8_t> train, ReadIdxLabels(files.train_labels));
  GS_ASSIGN_OR_RETURN(const std::vector<uint8_t> test, ReadIdxLabels(files.test_labels));
  std::array<bool, 256> seen{};
  for (const uint8_t label : train) seen[label] = true;
  return ImageCounts{static_cast<int64_t>(train.size()), static_cast<int64_t>(test.size()),
                     std::count(seen.begin(), seen.end(), true)};
}

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
    list_->footer("\nExample:\n  gridsweep data list --format json");
    DeclareFetch(*app.add_subcommand("fetch", "Download a data set"));
    app.footer("\nExamples:\n  gridsweep data list\n  gridsweep data fetch emnist --help");
  }

  absl::StatusOr<int> Run(Context& context) override {
    return list_->parsed() ? List(context) : Fetch(context);
  }

 private:
  void DeclareFetch(CLI::App& app) {
    app.add_option("NAME", name_, "emnist, emnist-SPLIT or fashion-mnist")->required();
    app.add_option("--split", splits_,
                   "Splits of EMNIST, or all: balanced, byclass, bymerge, letters, digits, mnist")
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
    for (const DatasetFiles& files : ListDatasets(directories)) {
      const absl::StatusOr<ImageCounts> counts = CountImages(files);
      const auto number = [&](int64_t ImageCounts::*member) {
        return counts.ok() ? Cell(FormatCount((*counts).*member), (*counts).*member) : Cell();
      };
      table.rows.push_back({Cell::Text(files.name), number(&ImageCounts::train), number(&ImageCounts::test),
                            number(&ImageCounts::classes), Cell(FormatBytes(files.bytes), files.bytes),
                            Cell::Text(files.directory),
                            Cell::Text(counts.ok() ? "" : Message(counts.status()))});
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
      const absl::StatusOr<DatasetFiles> files = FindDataset(name_, DefaultDataDirs());
      if (!files.ok())
        return NotFound("fashion-mnist is a Debian package: sudo apt install dataset-fashion-mnist");
      *context.err.stream << fmt::format("fashion-mnist is in {}\n", files->directory);
      return kExitOk;
    }
    if (name_.starts_with("emnist-")) {
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
    if (fetch_.splits == std::vector<std::string>{"all"}) {
      fetch_.splits.assign(std::begin(kEmnistSplits), std::end(kEmnistSplits));
    }
    if (fetch_.directory.empty()) fetch_.directory = DefaultDataDirs().front();
    fetch_.stall_timeout = absl::Seconds(stall_seconds_);
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
