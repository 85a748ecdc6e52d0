#include <cstdlib>
#include <map>

#include "cli/commands/commands.h"
#include "cli/connection.h"
#include "cli/output_flags.h"
#include "common/results/format_number.h"
#include "common/results/text_width.h"

namespace gridsweep {
namespace {

constexpr char kDetails[] =
    "\nCounts, from the stored rows themselves, what a sweep promises: each job has at most one result, it comes from the\n"
    "job's newest attempt, and all of its epochs are there. Then why attempts ended otherwise.\n\n"
    "Exit codes: 0 as promised, 1 not\n\n"
    "Examples:\n"
    "  gridsweep audit emnist-baseline\n"
    "  gridsweep audit 3 --format json";

// One row of numbers for the sweep ?, named as the machine-readable output names them.
constexpr char kCounts[] =
    "SELECT count(*) AS jobs, "
    "sum(state IN ('succeeded', 'diverged')) AS results, "
    "sum(state = 'failed') AS failed, sum(state = 'cancelled') AS cancelled, "
    "sum(state IN ('pending', 'running')) AS unfinished, "
    "(SELECT count(*) FROM v_attempts a WHERE a.sweep = {0}) AS attempts, "
    "(SELECT count(*) FROM v_attempts a WHERE a.sweep = {0} AND a.accepted) AS accepted, "
    "(SELECT count(*) FROM (SELECT 1 FROM v_attempts a WHERE a.sweep = {0} AND a.accepted GROUP BY a.job HAVING count(*) "
    "> 1)) AS duplicates, "
    "(SELECT count(*) FROM v_attempts a JOIN v_attempts b ON a.job = b.job AND b.number > a.number WHERE a.sweep = {0} AND "
    "a.accepted) AS superseded, "
    "(SELECT count(*) FROM v_jobs k WHERE k.sweep = {0} AND k.state = 'succeeded' AND (SELECT count(*) FROM v_epochs e "
    "WHERE e.job = k.job) <> (SELECT epochs FROM v_sweeps WHERE sweep = {0})) AS incomplete "
    "FROM v_jobs WHERE sweep = {0}";

constexpr char kCauses[] =
    "SELECT state, CASE error WHEN '' THEN '' ELSE error END AS cause, count(*) AS attempts FROM v_attempts WHERE sweep = "
    "{0} AND NOT accepted GROUP BY state, cause ORDER BY attempts DESC, state, cause LIMIT 20";

class AuditCommand : public Command {
 public:
  std::string name() const override { return "audit"; }
  std::string summary() const override { return "Count a sweep's results and attempts, and check them"; }

  void Declare(CLI::App& app) override {
    app.add_option("SWEEP", sweep_, "A sweep's id or name")->required();
    flags_.Declare(app);
    format_.Declare(app);
    app.footer(kDetails);
  }

  absl::StatusOr<int> Run(Context& context) override {
    GS_ASSIGN_OR_RETURN(const auto connection, Connect(flags_, Purpose::kRead, context));
    GS_ASSIGN_OR_RETURN(const v1::SweepStatus status, connection->client().GetSweep(sweep_));
    const int64_t id = status.summary().id();
    GS_ASSIGN_OR_RETURN(const v1::QueryResponse counted,
                        Query(connection->client(), fmt::format(kCounts, id)));
    GS_ASSIGN_OR_RETURN(const v1::QueryResponse causes,
                        Query(connection->client(), fmt::format(kCauses, id)));
    std::map<std::string, int64_t> count;
    for (int i = 0; i < counted.columns_size(); ++i)
      count[counted.columns(i)] = counted.rows(0).values(i).integer();
    const bool kept = count["accepted"] == count["results"] &&
                      count["duplicates"] + count["superseded"] + count["incomplete"] == 0;
    if (format_.format == OutputFormat::kTable) {
      PrintForPeople(status.summary(), count, causes, kept, context);
    } else {
      PrintTable(MakeTable(id, counted), format_, "", context);
    }
    return kept ? kExitOk : kExitFailedJobs;
  }

 private:
  static absl::StatusOr<v1::QueryResponse> Query(Client& client, const std::string& sql) {
    constexpr absl::Duration kLimit = absl::Seconds(60);
    v1::QueryRequest request;
    request.set_sql(sql);
    request.set_timeout_ms(absl::ToInt64Milliseconds(kLimit));
    return client.Query(request, kLimit);
  }

  static Table MakeTable(int64_t sweep, const v1::QueryResponse& counted) {
    Table table;
    table.columns.push_back({.key = "sweep", .header = "sweep"});
    table.rows.push_back({Cell::Integer(sweep)});
    for (int i = 0; i < counted.columns_size(); ++i) {
      table.columns.push_back({.key = counted.columns(i), .header = counted.columns(i)});
      table.rows.front().push_back(Cell::Integer(counted.rows(0).values(i).integer()));
    }
    return table;
  }

  static void PrintForPeople(const v1::SweepSummary& sweep, std::map<std::string, int64_t>& count,
                             const v1::QueryResponse& causes, bool kept, Context& context) {
    std::ostream& out = *context.out.stream;
    out << fmt::format("sweep {} '{}': {} jobs, {} accepted results, {} duplicates, {} attempts\n",
                       sweep.id(), Printable(sweep.name()), FormatCount(count["jobs"]),
                       FormatCount(count["accepted"]), FormatCount(count["duplicates"]),
                       FormatCount(count["attempts"]));
    for (const char* what : {"unfinished", "failed", "cancelled"}) {
      if (count[what] > 0) out << fmt::format("{:>8} {}\n", FormatCount(count[what]), what);
    }
    if (causes.rows_size() > 0) out << "attempts without a result\n";
    for (const v1::Row& row : causes.rows()) {
      const std::string line = fmt::format("{:>8} {:<10} {}", FormatCount(row.values(2).integer()),
                                           row.values(0).text(), Printable(row.values(1).text()));
      const int width = context.out.screen.width;
      out << (width > 0 ? Truncate(line, width) : line) << "\n";
    }
    if (kept) {
      out << "every result is the only one of its job, from its newest attempt, with all of its epochs\n";
      return;
    }
    out << fmt::format(
        "NOT AS PROMISED: {} results without an accepted attempt or the other way round, {} jobs with several, {} results "
        "with a newer attempt, {} results without all epochs; gridsweep doctor looks at the database\n",
        FormatCount(std::abs(count["accepted"] - count["results"])), FormatCount(count["duplicates"]),
        FormatCount(count["superseded"]), FormatCount(count["incomplete"]));
  }

  std::string sweep_;
  CoordinatorFlags flags_;
  FormatFlag format_;
};

}  // namespace

std::unique_ptr<Command> MakeAuditCommand() {
  return std::make_unique<AuditCommand>();
}

}  // namespace gridsweep
