#include "cli/commands/commands.h"
#include "cli/connection.h"
#include "cli/output_flags.h"
#include "cli/sweep_watch.h"

namespace gridsweep {
namespace {

constexpr char kDetails[] =
    "\nOne row a cell: its rank, the axes that vary (constant ones are in the caption), the mean of what the "
    "sweep is\n"
    "ranked by over the seeds with its 95 % confidence interval (Student's t), test accuracy and loss at the "
    "same epoch,\n"
    "train loss, the epoch that counts, and seconds a job. Cells with equal means share a rank; unfinished, "
    "diverged and\n"
    "failed cells stand at the end with a note. A narrow terminal leaves columns out, train loss, epoch "
    "and s/job first,\n"
    "and the caption says which; csv and json have them all.\n\n"
    "Columns to sort by: rank, mean (or the name of the metric that is ranked by), ci95, sd, test_accuracy, "
    "test_loss,\n"
    "train_loss, best_epoch, seconds, n, or an axis.\n\n"
    "Examples:\n"
    "  gridsweep rank emnist-baseline --top 10\n"
    "  gridsweep rank 3 --by model                 which model is best, by its best cell\n"
    "  gridsweep rank 3 --sort seconds             the fastest first\n"
    "  gridsweep rank 3 --format csv > ranked.csv";

class RankCommand : public Command {
 public:
  std::string name() const override { return "rank"; }
  std::string summary() const override { return "Print a sweep's ranked table"; }

  void Declare(CLI::App& app) override {
    app.add_option("SWEEP", sweep_, "The sweep's id, or its name for the newest of that name")->required();
    app.add_option("--top", top_, "Print only the first N rows")
        ->check(CLI::Range(0, 1'000'000'000))
        ->option_text("N");
    app.add_option("--by", by_, "Compare the levels of one axis, each by its best cell")->type_name("AXIS");
    app.add_option("--sort", sort_, "Sort by a column; - in front reverses")->type_name("COLUMN");
    flags_.Declare(app);
    format_.Declare(app);
    app.add_flag("--no-times", options_.no_times,
                 "Leave out times and ids, so that two runs can be compared byte for byte");
    app.footer(kDetails);
  }

  absl::StatusOr<int> Run(Context& context) override {
    GS_ASSIGN_OR_RETURN(const auto connection, Connect(flags_, Purpose::kRead, context));
    v1::RankRequest request;
    request.set_sweep(sweep_);
    request.set_top(top_);
    request.set_by(by_);
    request.set_sort(sort_);
    GS_RETURN_IF_ERROR(PrintRanking(connection->client(), request, format_.format, options_, context));
    return kExitOk;
  }

 private:
  std::string sweep_;
  int64_t top_ = 0;
  std::string by_;
  std::string sort_;
  CoordinatorFlags flags_;
  FormatFlag format_;
  RankOptions options_;
};

}  // namespace

std::unique_ptr<Command> MakeRankCommand() {
  return std::make_unique<RankCommand>();
}

}  // namespace gridsweep
