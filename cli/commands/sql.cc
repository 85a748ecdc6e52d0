#include "cli/commands/commands.h"
#include "cli/connection.h"
#include "cli/convert_results.h"
#include "cli/output_flags.h"
#include "common/results/format_number.h"

namespace gridsweep {
namespace {

constexpr char kDetails[] =
    "\nReads the documented views (v_sweeps, v_jobs, v_epochs, v_ranking, v_confusion, v_predictions, "
    "v_attempts,\n"
    "v_workers; see docs/results-database.md) beside whatever runs. Nothing can be changed: only one SELECT "
    "is allowed.\n"
    "Of a result over 100,000 rows or 48 MiB the beginning is printed, and the exit code is 2. Blobs read x'0a1f'.\n\n"
    "Examples:\n"
    "  gridsweep sql 'select * from v_ranking limit 5'\n"
    "  gridsweep sql 'select job, epoch, val_accuracy from v_epochs' --format csv > epochs.csv";

class SqlCommand : public Command {
 public:
  std::string name() const override { return "sql"; }
  std::string summary() const override { return "Ask the results database a question in SQL, read-only"; }

  void Declare(CLI::App& app) override {
    app.add_option("QUERY", sql_, "One SELECT statement")->required();
    app.add_option("--timeout", timeout_, "Give up after this time. Default: 10")
        ->check(CLI::Range(0.001, 3600.0))
        ->option_text("SECONDS");
    flags_.Declare(app);
    format_.Declare(app);
    app.footer(kDetails);
  }

  absl::StatusOr<int> Run(Context& context) override {
    GS_ASSIGN_OR_RETURN(const auto connection, Connect(flags_, Purpose::kRead, context));
    v1::QueryRequest request;
    request.set_sql(sql_);
    request.set_timeout_ms(std::max<int64_t>(1, static_cast<int64_t>(timeout_ * 1000)));
    GS_ASSIGN_OR_RETURN(const v1::QueryResponse response,
                        connection->client().Query(request, absl::Seconds(timeout_)));
    PrintTable(FromProto(response), format_, "no rows", context);
    if (!response.truncated()) return kExitOk;
    context.out.stream->flush();
    // An error, so that no script takes a part for the whole.
    return ResourceExhausted(
        "the result is longer: only its first {} rows are printed, an answer holds 100,000 rows or 48 MiB; take it in "
        "parts with ORDER BY … LIMIT … OFFSET …, or read the file itself: sqlite3 -readonly -csv FILE 'SELECT …'",
        FormatCount(response.rows_size()));
  }

 private:
  std::string sql_;
  double timeout_ = 10;
  CoordinatorFlags flags_;
  FormatFlag format_;
};

}  // namespace

std::unique_ptr<Command> MakeSqlCommand() {
  return std::make_unique<SqlCommand>();
}

}  // namespace gridsweep
