// Rows of a view, however many, through the coordinator's query call, which answers a part at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "cli/client.h"
#include "common/base/status.h"

namespace gridsweep {

// Jobs of a sweep, in the order of their ids, with the number of epochs that each has stored.
struct ExportedJob {
  int64_t id = 0;
  int64_t epochs = 0;
};
absl::StatusOr<std::vector<ExportedJob>> ListExportedJobs(Client& client, int64_t sweep);

// What is read of a view.
struct ViewPart {
  std::string view;
  std::string columns = "*";
  std::string order;  // "job, epoch"
  // How many rows a job is expected to have at most: parts are made so that they fit into one answer.
  std::function<int64_t(const ExportedJob&)> rows_of;
};

// Gives each row of the sweep's `jobs` to `take`, in order; an error of it ends the reading. Each part is read at once, but
// other parts at other times: what is written meanwhile can be in some and not in others.
absl::Status ReadView(Client& client, int64_t sweep, const std::vector<ExportedJob>& jobs,
                      const ViewPart& part, const std::function<absl::Status(const v1::Row&)>& take);

// Gives each row of v_ranking to `take`, best first.
absl::Status ReadRanking(Client& client, int64_t sweep,
                         const std::function<absl::Status(const v1::Row&)>& take);

// The names of a view's columns, in order.
absl::StatusOr<std::vector<std::string>> ViewColumns(Client& client, const std::string& view);

}  // namespace gridsweep
