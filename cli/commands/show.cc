#include <algorithm>
#include <optional>

#include "cli/commands/commands.h"
#include "cli/connection.h"
#include "cli/convert_results.h"
#include "cli/output_flags.h"
#include "common/results/text_width.h"

namespace gridsweep {
namespace {

constexpr char kDetails[] =
    "\nA number is a job: its learning curves, the classes it confuses most, what it says about sample "
    "images, and its\n"
    "attempts with their errors. Anything else is a sweep's name: its jobs. A sweep is also shown by --sweep "
    "ID.\n\n"
    "Examples:\n"
    "  gridsweep show 17\n"
    "  gridsweep show 17 --format csv               its epochs\n"
    "  gridsweep show emnist-baseline --state failed\n"
    "  gridsweep show --sweep 3";

// More than anybody reads, and quickly there, however large the sweep.
constexpr int64_t kTableJobs = 100;

class ShowCommand : public Command {
 public:
  std::string name() const override { return "show"; }
  std::string summary() const override { return "Show one job in detail, or the jobs of a sweep"; }

  void Declare(CLI::App& app) override {
    CLI::Option* what = app.add_option("JOB|SWEEP", what_, "A job's id or a sweep's name");
    app.add_option("--sweep", sweep_, "Show the jobs of this sweep, by id or name")
        ->excludes(what)
        ->type_name("SWEEP");
    app.add_option("--state", state_,
                   "Only jobs in this state: pending, running, succeeded, diverged, failed, cancelled")
        ->type_name("STATE");
    app.add_option("--top", top_, "Print only the first N jobs, 0 for all. Default: 100 in a table, else all")
        ->check(CLI::NonNegativeNumber)
        ->type_name("N");
    flags_.Declare(app);
    format_.Declare(app);
    app.footer(kDetails);
  }

  absl::StatusOr<int> Run(Context& context) override {
    if (what_.empty() && sweep_.empty()) return InvalidArgument("name a job or a sweep: gridsweep show 17");
    const bool is_job = !what_.empty() &&
                        std::all_of(what_.begin(), what_.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (is_job && (top_ || !state_.empty()))
      return InvalidArgument("{} is for the jobs of a sweep, and '{}' is a job", top_ ? "--top" : "--state",
                             what_);
    GS_ASSIGN_OR_RETURN(const auto connection, Connect(flags_, Purpose::kRead, context));
    if (!is_job) return ShowSweep(connection->client(), sweep_.empty() ? what_ : sweep_, context);
    if (what_.size() > 18) return NotFound("there is no job {}", what_);
    GS_ASSIGN_OR_RETURN(const v1::JobDetail detail, connection->client().GetJob(std::stoll(what_)));
    *context.out.stream << RenderJob(FromProto(detail), format_.format, context.out.screen);
    return kExitOk;
  }

 private:
  absl::StatusOr<int> ShowSweep(Client& client, const std::string& sweep, Context& context) {
    v1::ListJobsRequest request;
    request.set_sweep(sweep);
    request.set_state(state_);
    const int64_t most = top_.value_or(format_.format == OutputFormat::kTable ? kTableJobs : 0);
    if (most > 0) request.set_limit(most + 1);
    GS_ASSIGN_OR_RETURN(const v1::ListJobsResponse response, client.ListJobs(request));
    std::vector<JobLine> jobs;
    for (const v1::JobSummary& job : response.jobs()) jobs.push_back(FromProto(job));
    const bool more = most > 0 && static_cast<int64_t>(jobs.size()) > most;
    if (more) jobs.pop_back();
    const std::string metric = response.objective().metric();
    std::string legend;
    const int width = format_.format == OutputFormat::kTable ? context.out.screen.width : 0;
    const Table table = JobTable(jobs, AllAxisNames(), metric, width, &legend);
    if (!legend.empty()) *context.out.stream << WrapText(Printable(legend), width) << "\n";
    PrintTable(table, format_, state_.empty() ? "no jobs" : fmt::format("no {} jobs", state_), context);
    if (more && !top_) *context.err.stream << fmt::format("the first {} jobs; --top 0 for all\n", most);
    return kExitOk;
  }

  std::string what_;
  std::string sweep_;
  std::string state_;
  std::optional<int64_t> top_;
  CoordinatorFlags flags_;
  FormatFlag format_;
};

}  // namespace

std::unique_ptr<Command> MakeShowCommand() {
  return std::make_unique<ShowCommand>();
}

}  // namespace gridsweep
