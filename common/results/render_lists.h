// The other listings: sweeps, workers, jobs, and the rows of a query.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "common/results/ranking.h"
#include "common/results/table.h"

namespace gridsweep {

struct SweepLine {
  int64_t id = 0;
  std::string name;
  std::string state;
  StateCounts jobs;
  std::string dataset;
  int64_t cells = 0;
  int64_t seeds = 0;
  int64_t epochs = 0;
  std::string metric;
  absl::Time created;
  std::optional<absl::Time> finished;
};
Table SweepTable(const std::vector<SweepLine>& sweeps, absl::Time now);

struct WorkerLine {
  int64_t id = 0;
  std::string name;
  std::string host;
  std::string state;
  std::vector<std::string> devices;
  int64_t slots = 0;
  int64_t running = 0;
  std::string version;
  std::string libtorch_version;
  absl::Time last_seen;
  int64_t jobs_done = 0;
  int64_t failures = 0;
  std::vector<std::string> datasets;
  std::string note;
};
Table WorkerTable(const std::vector<WorkerLine>& workers, absl::Time now);

struct JobLine {
  int64_t id = 0;
  std::string state;
  std::vector<std::string> labels;  // one per axis
  int64_t seed = 0;
  int64_t attempts = 0;
  std::optional<double> objective;
  int64_t objective_epoch = 0;
  std::string error;
};
// `axes` names the labels' axes; those with one value in all jobs are left out for people. `metric` is the
// objective.
Table JobTable(const std::vector<JobLine>& jobs, const std::vector<std::string>& axes,
               const std::string& metric);
// The same where it does not fit a terminal of `width` columns: people see the labels without the parameters that are the
// same in all of `jobs`, and `legend` says which these are.
Table JobTable(const std::vector<JobLine>& jobs, const std::vector<std::string>& axes,
               const std::string& metric, int width, std::string* legend);

struct QueryBlob {
  std::string bytes;
};
using QueryValue = std::variant<std::monostate, int64_t, double, std::string, QueryBlob>;  // monostate: NULL
// A blob reads x'0a1f…', SQL's way to write it; people see its beginning and length.
Table QueryTable(const std::vector<std::string>& columns, const std::vector<std::vector<QueryValue>>& rows);

// "just now", "42 s ago", "3 min ago", "2 h ago", "5 d ago".
std::string FormatAge(absl::Time then, absl::Time now);

}  // namespace gridsweep
