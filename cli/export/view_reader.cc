#include "cli/export/view_reader.h"

#include <algorithm>
#include <future>

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

// Of the jobs from some place on, as many as one answer holds.
struct ReadPart {
  v1::QueryResponse answer;
  size_t end = 0;  // the first that is not in it
};

absl::StatusOr<ReadPart> ReadOnePart(Client& client, int64_t sweep, const std::vector<ExportedJob>& jobs,
                                     const ViewPart& part, size_t begin) {
  if (begin >= jobs.size()) return ReadPart{.answer = {}, .end = begin};
  size_t end = begin;
  int64_t rows = 0;
  while (end < jobs.size() && (end == begin || rows + part.rows_of(jobs[end]) <= kRowsPerPart))
    rows += part.rows_of(jobs[end++]);
  while (true) {
    GS_ASSIGN_OR_RETURN(
        v1::QueryResponse answer,
        Ask(client,
            fmt::format("SELECT {} FROM {} WHERE sweep = {} AND job BETWEEN {} AND {} ORDER BY {}",
                        part.columns, part.view, sweep, jobs[begin].id, jobs[end - 1].id, part.order)));
    if (!answer.truncated()) return ReadPart{.answer = std::move(answer), .end = end};
    // Longer than expected, because jobs went on.
    if (end - begin == 1)
      return ResourceExhausted("job {} has more rows in {} than one answer of the coordinator holds",
                               jobs[begin].id, part.view);
    end = begin + (end - begin) / 2;
  }
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
  // While one part is taken, the next is read.
  std::future<absl::StatusOr<ReadPart>> next =
      std::async(std::launch::async, [&] { return ReadOnePart(client, sweep, jobs, part, 0); });
  while (true) {
    GS_ASSIGN_OR_RETURN(const ReadPart read, next.get());
    const bool is_last = read.end >= jobs.size();
    if (!is_last) {
      next = std::async(std::launch::async,
                        [&, begin = read.end] { return ReadOnePart(client, sweep, jobs, part, begin); });
    }
    for (const v1::Row& row : read.answer.rows()) GS_RETURN_IF_ERROR(take(row));
    if (is_last) return absl::OkStatus();
  }
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
