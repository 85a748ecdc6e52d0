#include "cli/export/view_reader.h"

#include <algorithm>

namespace gridsweep {
namespace {

// Below the coordinator's limits of 100,000 rows and 48 MiB, also for rows with long texts.
constexpr int64_t kRowsPerPart = 30'000;
constexpr absl::Duration kTimeout = absl::Minutes(2);

absl::StatusOr<v1::QueryResponse> Ask(Client& client, const std::string& sql) {
  v1::QueryRequest request;
  request.set_sql(sql);
  request.set_timeout_ms(absl::ToInt64Milliseconds(kTimeout));
  return client.Query(request, kTimeout);
}

}  // namespace

absl::StatusOr<std::vector<ExportedJob>> ListExportedJobs(Client& client, int64_t sweep) {
  std::vector<ExportedJob> jobs;
  while (true) {
    GS_ASSIGN_OR_RETURN(
        const v1::QueryResponse part,
        Ask(client,
            fmt::format(
                "SELECT job, coalesce(epochs, 0) FROM v_jobs WHERE sweep = {} AND job > {} ORDER BY job LIMIT {}",
                sweep, jobs.empty() ? 0 : jobs.back().id, kRowsPerPart)));
    for (const v1::Row& row : part.rows()) jobs.push_back({row.values(0).integer(), row.values(1).integer()});
    if (part.rows_size() < kRowsPerPart && !part.truncated()) return jobs;
  }
}

absl::StatusOr<std::vector<std::string>> ViewColumns(Client& client, const std::string& view) {
  GS_ASSIGN_OR_RETURN(const v1::QueryResponse response, Ask(client, "SELECT * FROM " + view + " LIMIT 0"));
  return std::vector<std::string>(response.columns().begin(), response.columns().end());
}

absl::Status ReadView(Client& client, int64_t sweep, const std::vector<ExportedJob>& jobs,
                      const ViewPart& part, const std::function<absl::Status(const v1::Row&)>& take) {
  for (size_t first = 0; first < jobs.size();) {
    size_t last = first;
    int64_t rows = 0;
    while (last < jobs.size() && (last == first || rows + part.rows_of(jobs[last]) <= kRowsPerPart))
      rows += part.rows_of(jobs[last++]);
    v1::QueryResponse answer;
    while (true) {
      GS_ASSIGN_OR_RETURN(
          answer,
          Ask(client,
              fmt::format("SELECT {} FROM {} WHERE sweep = {} AND job BETWEEN {} AND {} ORDER BY {}",
                          part.columns, part.view, sweep, jobs[first].id, jobs[last - 1].id, part.order)));
      if (!answer.truncated()) break;
      // Longer than expected, because jobs went on.
      if (last - first == 1)
        return ResourceExhausted("job {} has more rows in {} than one answer of the coordinator holds",
                                 jobs[first].id, part.view);
      last = first + (last - first) / 2;
    }
    for (const v1::Row& row : answer.rows()) GS_RETURN_IF_ERROR(take(row));
    first = last;
  }
  return absl::OkStatus();
}

absl::Status ReadRanking(Client& client, int64_t sweep,
                         const std::function<absl::Status(const v1::Row&)>& take) {
  for (int64_t first = 1;; first += kRowsPerPart) {
    GS_ASSIGN_OR_RETURN(
        const v1::QueryResponse part,
        Ask(client, fmt::format("SELECT * FROM v_ranking WHERE sweep = {} AND position BETWEEN {} AND {} "
                                "ORDER BY position",
                                sweep, first, first + kRowsPerPart - 1)));
    for (const v1::Row& row : part.rows()) GS_RETURN_IF_ERROR(take(row));
    if (part.rows_size() < kRowsPerPart) return absl::OkStatus();
  }
}

}  // namespace gridsweep
