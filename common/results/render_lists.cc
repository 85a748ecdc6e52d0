#include "common/results/render_lists.h"

#include <functional>
#include <string_view>

#include "common/results/format_number.h"
#include "common/results/labels.h"

namespace gridsweep {
namespace {

Cell TimeCell(const std::optional<absl::Time>& time, const std::string& text) {
  if (!time) return {};
  return Cell(text, std::string(absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", *time, absl::UTCTimeZone())));
}

std::string Took(const SweepLine& sweep, absl::Time now) {
  return FormatDuration(absl::ToDoubleSeconds(sweep.finished.value_or(now) - sweep.created));
}

Cell CountCell(int64_t count) {
  return Cell(count == 0 ? "" : FormatCount(count), count);
}

// Columns whose cell is the same for everyone tell nothing; they stay in the machines' formats.
bool Varies(const std::vector<JobLine>& jobs, size_t axis) {
  for (const JobLine& job : jobs) {
    if (job.labels[axis] != jobs.front().labels[axis]) return true;
  }
  return false;
}

// `shown` turns a label into what people see.
Table BuildJobTable(const std::vector<JobLine>& jobs, const std::vector<std::string>& axes,
                    const std::string& metric, const std::function<std::string(const std::string&)>& shown) {
  Table table;
  table.columns = {{.key = "id", .header = "job", .align = Align::kRight},
                   {.key = "state", .header = "state"}};
  for (size_t axis = 0; axis < axes.size(); ++axis) {
    const Audience audience = jobs.empty() || Varies(jobs, axis) ? Audience::kAll : Audience::kMachines;
    table.columns.push_back({.key = axes[axis], .header = axes[axis], .audience = audience, .min_width = 6});
  }
  const std::vector<Column> figures = {
      {.key = "seed", .header = "seed", .align = Align::kRight},
      {.key = "objective", .header = metric.empty() ? "objective" : metric, .align = Align::kRight},
      {.key = "objective_epoch", .header = "epoch", .align = Align::kRight, .priority = 1},
      {.key = "attempts", .header = "attempts", .align = Align::kRight, .priority = 2},
      {.key = "error", .header = "error", .min_width = 12}};
  table.columns.insert(table.columns.end(), figures.begin(), figures.end());
  for (const JobLine& job : jobs) {
    std::vector<Cell> row = {Cell::Integer(job.id), Cell::Text(job.state)};
    for (size_t axis = 0; axis < axes.size(); ++axis) {
      row.push_back(Cell(shown(job.labels[axis]), job.labels[axis]));
    }
    row.push_back(Cell::Integer(job.seed));
    row.push_back(job.objective ? Cell(FormatMetric(metric, *job.objective), NumberToJson(*job.objective))
                                : Cell());
    row.push_back(job.objective ? Cell::Integer(job.objective_epoch) : Cell());
    row.push_back(Cell::Integer(job.attempts));
    row.push_back(Cell::Text(job.error));
    table.rows.push_back(std::move(row));
  }
  return table;
}

constexpr size_t kBlobBytesShown = 16;

std::string Hex(std::string_view bytes) {
  std::string hex;
  for (const char c : bytes) hex += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return hex;
}

Cell BlobCell(std::string_view bytes) {
  const std::string whole = fmt::format("x'{}'", Hex(bytes));
  if (bytes.size() <= kBlobBytesShown) return Cell::Text(whole);
  return Cell(fmt::format("x'{}…' ({} bytes)", Hex(bytes.substr(0, kBlobBytesShown)),
                          FormatCount(static_cast<int64_t>(bytes.size()))),
              whole);
}

}  // namespace

std::string FormatAge(absl::Time then, absl::Time now) {
  const int64_t seconds = absl::ToInt64Seconds(now - then);
  if (seconds < 2) return "just now";
  if (seconds < 100) return fmt::format("{} s ago", seconds);
  if (seconds < 100 * 60) return fmt::format("{} min ago", seconds / 60);
  if (seconds < 48 * 3600) return fmt::format("{} h ago", seconds / 3600);
  return fmt::format("{} d ago", seconds / 86400);
}

Table SweepTable(const std::vector<SweepLine>& sweeps, absl::Time now) {
  Table table;
  table.columns = {{.key = "id", .header = "sweep", .align = Align::kRight},
                   {.key = "name", .header = "name", .min_width = 8},
                   {.key = "state", .header = "state"},
                   {.key = "done", .header = "done", .align = Align::kRight},
                   {.key = "jobs", .header = "jobs", .align = Align::kRight},
                   {.key = "running", .header = "running", .align = Align::kRight, .priority = 2},
                   {.key = "pending", .header = "", .audience = Audience::kMachines},
                   {.key = "succeeded", .header = "", .audience = Audience::kMachines},
                   {.key = "failed", .header = "failed", .align = Align::kRight, .priority = 1},
                   {.key = "diverged", .header = "diverged", .align = Align::kRight, .priority = 3},
                   {.key = "cancelled", .header = "cancelled", .align = Align::kRight, .priority = 4},
                   {.key = "dataset", .header = "dataset", .priority = 5},
                   {.key = "cells", .header = "", .audience = Audience::kMachines},
                   {.key = "seeds", .header = "", .audience = Audience::kMachines},
                   {.key = "epochs", .header = "", .audience = Audience::kMachines},
                   {.key = "metric", .header = "ranked by", .priority = 6},
                   {.key = "created", .header = "submitted", .align = Align::kRight, .priority = 7},
                   {.key = "finished", .header = "took", .align = Align::kRight, .priority = 8}};
  for (const SweepLine& sweep : sweeps) {
    const StateCounts& jobs = sweep.jobs;
    const int64_t done = jobs.total() - jobs.pending - jobs.running;
    table.rows.push_back({Cell::Integer(sweep.id), Cell::Text(sweep.name), Cell::Text(sweep.state),
                          Cell(FormatCount(done), done), Cell(FormatCount(jobs.total()), jobs.total()),
                          CountCell(jobs.running), CountCell(jobs.pending), CountCell(jobs.succeeded),
                          CountCell(jobs.failed), CountCell(jobs.diverged), CountCell(jobs.cancelled),
                          Cell::Text(sweep.dataset), Cell::Integer(sweep.cells), Cell::Integer(sweep.seeds),
                          Cell::Integer(sweep.epochs), Cell::Text(sweep.metric),
                          TimeCell(sweep.created, FormatAge(sweep.created, now)),
                          TimeCell(sweep.finished, Took(sweep, now))});
  }
  return table;
}

Table WorkerTable(const std::vector<WorkerLine>& workers, absl::Time now) {
  Table table;
  table.columns = {{.key = "id", .header = "", .audience = Audience::kMachines},
                   {.key = "name", .header = "worker", .min_width = 8},
                   {.key = "host", .header = "host", .priority = 4, .min_width = 8},
                   {.key = "state", .header = "state"},
                   {.key = "devices", .header = "devices", .priority = 2, .min_width = 8},
                   {.key = "running", .header = "running", .align = Align::kRight},
                   {.key = "slots", .header = "slots", .align = Align::kRight},
                   {.key = "jobs_done", .header = "done", .align = Align::kRight, .priority = 1},
                   {.key = "failures", .header = "failures", .align = Align::kRight, .priority = 3},
                   {.key = "last_seen", .header = "last seen", .align = Align::kRight},
                   {.key = "version", .header = "version", .priority = 6},
                   {.key = "libtorch_version", .header = "LibTorch", .priority = 7},
                   {.key = "datasets", .header = "data sets", .priority = 5, .min_width = 12},
                   {.key = "note", .header = "note", .min_width = 16, .comfortable_width = 48}};
  for (const WorkerLine& worker : workers) {
    table.rows.push_back(
        {Cell::Integer(worker.id), Cell::Text(worker.name), Cell::Text(worker.host), Cell::Text(worker.state),
         Cell::Text(fmt::format("{}", fmt::join(worker.devices, " "))), Cell::Integer(worker.running),
         Cell::Integer(worker.slots), Cell::Integer(worker.jobs_done), Cell::Integer(worker.failures),
         TimeCell(worker.last_seen, FormatAge(worker.last_seen, now)), Cell::Text(worker.version),
         Cell::Text(worker.libtorch_version), Cell::Text(fmt::format("{}", fmt::join(worker.datasets, " "))),
         Cell::Text(worker.note)});
  }
  return table;
}

Table JobTable(const std::vector<JobLine>& jobs, const std::vector<std::string>& axes,
               const std::string& metric) {
  return BuildJobTable(jobs, axes, metric, [](const std::string& label) { return label; });
}

Table JobTable(const std::vector<JobLine>& jobs, const std::vector<std::string>& axes,
               const std::string& metric, int width, std::string* legend) {
  legend->clear();
  Table table = JobTable(jobs, axes, metric);
  if (width <= 0 || NaturalWidth(table) <= width) return table;
  std::vector<std::string> labels;
  for (size_t axis = 0; axis < axes.size(); ++axis) {
    if (!Varies(jobs, axis)) continue;
    for (const JobLine& job : jobs) labels.push_back(job.labels[axis]);
  }
  const LabelShortener shortener(labels);
  if (shortener.legend().empty()) return table;
  *legend = fmt::format("in all of these jobs: {}", fmt::join(shortener.legend(), "; "));
  return BuildJobTable(jobs, axes, metric,
                       [&](const std::string& label) { return shortener.Shorten(label); });
}

Table QueryTable(const std::vector<std::string>& columns, const std::vector<std::vector<QueryValue>>& rows) {
  Table table;
  for (const std::string& name : columns)
    table.columns.push_back({.key = name, .header = name, .min_width = 8, .keep_empty = true});
  for (const std::vector<QueryValue>& row : rows) {
    std::vector<Cell> cells;
    for (size_t c = 0; c < row.size(); ++c) {
      if (const auto* integer = std::get_if<int64_t>(&row[c])) {
        cells.push_back(Cell::Integer(*integer));
      } else if (const auto* real = std::get_if<double>(&row[c])) {
        cells.push_back(Cell(fmt::format("{:.6g}", *real), NumberToJson(*real)));
      } else if (const auto* text = std::get_if<std::string>(&row[c])) {
        cells.push_back(Cell::Text(*text));
        continue;
      } else if (const auto* blob = std::get_if<QueryBlob>(&row[c])) {
        cells.push_back(BlobCell(blob->bytes));
        continue;
      } else {
        cells.push_back(Cell("NULL", nullptr));
        continue;
      }
      table.columns[c].align = Align::kRight;
    }
    table.rows.push_back(std::move(cells));
  }
  return table;
}

}  // namespace gridsweep
