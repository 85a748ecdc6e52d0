#include "cli/commands/commands.h"
#include "cli/connection.h"
#include "cli/convert_results.h"
#include "cli/output_flags.h"
#include "common/results/render_comparison.h"

namespace gridsweep {
namespace {

constexpr char kDetails[] =
    "\nA and B are ids of jobs, as 'rank' prints them. With --cells their cells are compared, over all seeds: paired seed by\n"
    "seed, with 95 % confidence intervals of the differences. Shown are the parameters that differ, the metrics, the learning\n"
    "curves side by side, and where the predictions and confusions differ.\n\n"
    "Table and json hold everything; csv, tsv, markdown and latex the metrics.\n\n"
    "Examples:\n"
    "  gridsweep compare 17 42\n"
    "  gridsweep compare 17 42 --cells --metric test_loss";

constexpr int64_t kMostSeeds = 1000;

class CompareCommand : public Command {
 public:
  std::string name() const override { return "compare"; }
  std::string summary() const override { return "Put two jobs, or two cells, side by side"; }

  void Declare(CLI::App& app) override {
    app.add_option("A", a_, "A job's id")
        ->required()
        ->check(CLI::Range(int64_t{1}, int64_t{1} << 60))
        ->type_name("");
    app.add_option("B", b_, "Another")
        ->required()
        ->check(CLI::Range(int64_t{1}, int64_t{1} << 60))
        ->type_name("");
    app.add_flag("--cells", cells_, "Compare the cells of these jobs, over all their seeds");
    app.add_option("--metric", metric_,
                   "Metric of the learning curves; default: what the sweep of A is ranked by")
        ->type_name("METRIC");
    flags_.Declare(app);
    format_.Declare(app);
    app.footer(kDetails);
  }

  absl::StatusOr<int> Run(Context& context) override {
    GS_ASSIGN_OR_RETURN(const auto connection, Connect(flags_, Purpose::kRead, context));
    GS_ASSIGN_OR_RETURN(const ComparedSide a, Side(connection->client(), a_));
    GS_ASSIGN_OR_RETURN(const ComparedSide b, Side(connection->client(), b_));
    GS_ASSIGN_OR_RETURN(const Comparison comparison, CompareSides(a, b, metric_));
    *context.out.stream << RenderComparison(comparison, a, b, format_.format, context.out.screen);
    return kExitOk;
  }

 private:
  absl::StatusOr<ComparedSide> Side(Client& client, int64_t job) const {
    GS_ASSIGN_OR_RETURN(const std::vector<int64_t> ids, JobsOf(client, job));
    ComparedSide side;
    for (const int64_t id : ids) {
      GS_ASSIGN_OR_RETURN(const v1::JobDetail detail, client.GetJob(id));
      side.jobs.push_back(FromProto(detail));
    }
    const JobReport& first = side.jobs.front();
    const std::string labels = fmt::format("{}", fmt::join(first.labels, " "));
    side.name = cells_ ? fmt::format("{}, {} seed{}, of sweep '{}'", labels, side.jobs.size(),
                                     side.jobs.size() == 1 ? "" : "s", first.sweep_name)
                       : fmt::format("job {}, {}, seed {}, {}, of sweep '{}'", job, labels, first.seed,
                                     first.state, first.sweep_name);
    return side;
  }

  // The job alone, or all of its cell, by seed.
  absl::StatusOr<std::vector<int64_t>> JobsOf(Client& client, int64_t job) const {
    if (!cells_) return std::vector<int64_t>{job};
    v1::QueryRequest request;
    request.set_sql(fmt::format(
        "SELECT job FROM v_jobs WHERE cell = (SELECT cell FROM v_jobs WHERE job = {}) ORDER BY seed LIMIT {}",
        job, kMostSeeds));
    GS_ASSIGN_OR_RETURN(const v1::QueryResponse response, client.Query(request, absl::Seconds(30)));
    std::vector<int64_t> jobs;
    for (const v1::Row& row : response.rows()) jobs.push_back(row.values(0).integer());
    if (jobs.empty()) return NotFound("there is no job {}", job);
    return jobs;
  }

  int64_t a_ = 0;
  int64_t b_ = 0;
  bool cells_ = false;
  std::string metric_;
  CoordinatorFlags flags_;
  FormatFlag format_;
};

}  // namespace

std::unique_ptr<Command> MakeCompareCommand() {
  return std::make_unique<CompareCommand>();
}

}  // namespace gridsweep
