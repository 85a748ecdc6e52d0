#include "cli/export/view_reader.h"

#include <algorithm>
#include <deque>
#include <future>

namespace gridsweep {
namespace {

// Below the coordinator's limits of 100,000 rows and 48 MiB, also for rows with long texts.
constexpr int64_t kRowsPerPart = 30'000;
// Parts that the coordinator reads while one is written.
constexpr size_t kReadAhead = 2;
constexpr absl::Duration kTimeout = absl::Minutes(2);

absl::StatusOr<v1::QueryResponse> Ask(Client& client, const std::string& sql) {
  v1::QueryRequest request;
  request.set_sql(sql);
  request.set_timeout_ms(absl::ToInt64Milliseconds(kTimeout));
  return client.Query(request, kTimeout);
}

// Some jobs in a row, by their places.
struct Range {
  size_t begin = 0, end = 0;
};

// Ranges that are expected to fit into one answer each.
std::vector<Range> PlanParts(const std::vector<ExportedJob>& jobs, const ViewPart& part) {
  std::vector<Range> ranges;
  int64_t rows = 0;
  for (size_t i = 0; i < jobs.size(); ++i) {
    const int64_t more = part.rows_of(jobs[i]);
    if (ranges.empty() || rows + more > kRowsPerPart) {
      ranges.push_back({i, i});
      rows = 0;
    }
    rows += more;
    ranges.back().end = i + 1;
  }
  return ranges;
}

// The answers that hold a range, in order: several if it is longer than expected.
absl::Status ReadRange(Client& client, int64_t sweep, const std::vector<ExportedJob>& jobs,
                       const ViewPart& part, Range range, std::vector<v1::QueryResponse>& answers) {
  GS_ASSIGN_OR_RETURN(
      v1::QueryResponse answer,
      Ask(client, fmt::format("SELECT {} FROM {} WHERE sweep = {} AND job BETWEEN {} AND {} ORDER BY {}",
                              part.columns, part.view, sweep, jobs[range.begin].id, jobs[range.end - 1].id,
                              part.order)));
  if (!answer.truncated()) {
    answers.push_back(std::move(answer));
    return absl::OkStatus();
  }
  if (range.end - range.begin == 1)
    return ResourceExhausted("job {} has more rows in {} than one answer of the coordinator holds",
                             jobs[range.begin].id, part.view);
  const size_t middle = range.begin + (range.end - range.begin) / 2;
  GS_RETURN_IF_ERROR(ReadRange(client, sweep, jobs, part, {range.begin, middle}, answers));
  return ReadRange(client, sweep, jobs, part, {middle, range.end}, answers);
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
  using Answers = absl::StatusOr<std::vector<v1::QueryResponse>>;
  const std::vector<Range> ranges = PlanParts(jobs, part);
  // While one part is taken, the next ones are read.
  std::deque<std::future<Answers>> ahead;
  size_t asked = 0;
  for (size_t taken = 0; taken < ranges.size(); ++taken) {
    for (; asked < ranges.size() && asked <= taken + kReadAhead; ++asked) {
      ahead.push_back(std::async(std::launch::async, [&, range = ranges[asked]]() -> Answers {
        std::vector<v1::QueryResponse> answers;
        GS_RETURN_IF_ERROR(ReadRange(client, sweep, jobs, part, range, answers));
        return answers;
      }));
    }
    GS_ASSIGN_OR_RETURN(const std::vector<v1::QueryResponse> answers, ahead.front().get());
    ahead.pop_front();
    for (const v1::QueryResponse& answer : answers) {
      for (const v1::Row& row : answer.rows()) GS_RETURN_IF_ERROR(take(row));
    }
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
