#include "common/results/ranking.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "common/catalog/catalog.h"

namespace gridsweep {
namespace {

// A job whose figures enter the cell's means.
bool Counts(const JobResult& job) {
  return job.state == JobState::kSucceeded && job.objective.has_value() && std::isfinite(*job.objective);
}

std::optional<double> Mean(const std::vector<double>& values) {
  if (values.empty()) return std::nullopt;
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

// Mean of an optional figure over the jobs that count and have it.
template <typename Figure>
std::optional<double> MeanOf(const std::vector<JobResult>& jobs, Figure figure) {
  std::vector<double> values;
  for (const JobResult& job : jobs) {
    if (const std::optional<double> value = figure(job); Counts(job) && value) values.push_back(*value);
  }
  return Mean(values);
}

std::string Share(int64_t count, int64_t total, std::string_view word) {
  if (total == 1) return std::string(word);
  return fmt::format("{} of {} {}", count, total, word);
}

std::string Note(const StateCounts& counts, int64_t without_value, const std::string& error) {
  std::vector<std::string> parts;
  const int64_t total = counts.total();
  if (counts.failed > 0) {
    parts.push_back(Share(counts.failed, total, "failed") + (error.empty() ? "" : ": " + error));
  }
  if (counts.diverged > 0) parts.push_back(Share(counts.diverged, total, "diverged"));
  if (without_value > 0) parts.push_back(Share(without_value, total, "without a finite objective"));
  if (counts.cancelled > 0) parts.push_back(Share(counts.cancelled, total, "cancelled"));
  if (counts.running > 0) parts.push_back(Share(counts.running, total, "running"));
  if (counts.pending > 0) parts.push_back(Share(counts.pending, total, "pending"));
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string FirstError(const std::vector<JobResult>& jobs) {
  for (const JobResult& job : jobs) {
    if (job.state == JobState::kFailed && !job.error.empty()) return job.error;
  }
  return "";
}

std::vector<SeedValue> SeedValues(const std::vector<JobResult>& jobs) {
  std::vector<SeedValue> values;
  for (const JobResult& job : jobs) {
    if (Counts(job)) values.push_back({job.seed, *job.objective});
  }
  // Sums are taken in seed order, so that the order of arrival cannot change a digit.
  std::sort(values.begin(), values.end(), [](const SeedValue& a, const SeedValue& b) {
    return std::tie(a.seed, a.value) < std::tie(b.seed, b.value);
  });
  return values;
}

// Rows with a result, then unfinished, diverged, failed and cancelled ones.
int StateClass(const RankedRow& row) {
  if (row.mean) return 0;
  if (row.jobs.pending + row.jobs.running > 0) return 1;
  if (row.jobs.diverged + row.jobs.succeeded > 0) return 2;
  return 3;
}

bool Better(double a, double b, Goal goal) {
  return goal == Goal::kMax ? a > b : a < b;
}

bool RowBefore(const RankedRow& a, const RankedRow& b, Goal goal) {
  if (StateClass(a) != StateClass(b)) return StateClass(a) < StateClass(b);
  if (a.mean && *a.mean != *b.mean) return Better(*a.mean, *b.mean, goal);
  return std::make_tuple(-a.n, a.ordinal, a.cell) < std::make_tuple(-b.n, b.ordinal, b.cell);
}

// Gives the rows, of all or some cells of a sweep, their places among all of them.
void TakeStandings(const std::vector<Standing>& standings, std::vector<RankedRow>& rows) {
  std::unordered_map<int64_t, const Standing*> by_cell;
  for (const Standing& standing : standings) by_cell.emplace(standing.cell, &standing);
  for (RankedRow& row : rows) {
    const auto it = by_cell.find(row.cell);
    if (it == by_cell.end() || !row.mean) continue;
    row.rank = it->second->rank;
    row.tied = it->second->tied;
    row.behind = it->second->behind;
    row.best_probability = it->second->best_probability;
  }
}

// Of levels, by their best cells. REQUIRES: in the order of means.
void RankLevels(std::vector<RankedRow>& levels) {
  for (size_t i = 0; i < levels.size(); ++i) {
    if (!levels[i].mean || levels[i].tied) continue;
    const bool equal = i > 0 && *levels[i].mean == *levels[i - 1].mean;
    levels[i].rank = equal ? levels[i - 1].rank : static_cast<int64_t>(i) + 1;
  }
  const auto tied =
      std::count_if(levels.begin(), levels.end(), [](const RankedRow& row) { return row.tied; });
  if (tied == 1) levels.front().tied = false;  // with cells of its own level
}

std::string OtherLabels(const std::vector<std::string>& labels, const std::vector<bool>& varies,
                        size_t axis) {
  std::vector<std::string> others;
  for (size_t i = 0; i < labels.size(); ++i) {
    if (i != axis && varies[i]) others.push_back(labels[i]);
  }
  return fmt::format("{}", fmt::join(others, " "));
}

std::vector<bool> VaryingAxes(const std::vector<RankedRow>& rows) {
  std::vector<bool> varies(rows.empty() ? 0 : rows.front().labels.size(), false);
  for (const RankedRow& row : rows) {
    for (size_t i = 0; i < varies.size(); ++i) {
      if (row.labels[i] != rows.front().labels[i]) varies[i] = true;
    }
  }
  return varies;
}

// What a row sorts by in a column: nothing, a number, or a label.
struct SortKey {
  bool missing = false;
  double number = 0;
  std::string text = "";
};

bool KeyBefore(const SortKey& a, const SortKey& b, bool descending) {
  if (a.missing || b.missing) return !a.missing && b.missing;
  if (a.text != b.text) return descending ? a.text > b.text : a.text < b.text;
  return descending ? a.number > b.number : a.number < b.number;
}

SortKey NumberKey(std::optional<double> value) {
  if (!value || std::isnan(*value)) return {.missing = true};
  return {.number = *value};
}

const std::vector<std::string>& NumericColumns() {
  static const std::vector<std::string> columns = {
      "rank",       "mean",    "ci95",       "sd", "best_probability", "test_accuracy", "test_loss",
      "train_loss", "seconds", "best_epoch", "n"};
  return columns;
}

SortKey NumericKey(const RankedRow& row, const std::string& column) {
  if (column == "rank") return {.missing = row.rank == 0, .number = static_cast<double>(row.rank)};
  if (column == "n") return {.number = static_cast<double>(row.n)};
  if (column == "mean") return NumberKey(row.mean);
  if (column == "ci95") return NumberKey(row.ci);
  if (column == "sd") return NumberKey(row.sd);
  if (column == "best_probability") return NumberKey(row.best_probability);
  if (column == "test_accuracy") return NumberKey(row.test_accuracy);
  if (column == "test_loss") return NumberKey(row.test_loss);
  if (column == "train_loss") return NumberKey(row.train_loss);
  if (column == "seconds") return NumberKey(row.seconds);
  return NumberKey(row.best_epoch);
}

}  // namespace

void StateCounts::Add(JobState state, int64_t n) {
  switch (state) {
    case JobState::kPending:
      pending += n;
      break;
    case JobState::kRunning:
      running += n;
      break;
    case JobState::kSucceeded:
      succeeded += n;
      break;
    case JobState::kDiverged:
      diverged += n;
      break;
    case JobState::kFailed:
      failed += n;
      break;
    case JobState::kCancelled:
      cancelled += n;
      break;
  }
}

RankedRow SummarizeCell(CellResults cell, const Measure& measure) {
  std::vector<JobResult>& jobs = cell.jobs;
  std::sort(jobs.begin(), jobs.end(), [](const JobResult& a, const JobResult& b) {
    return std::tie(a.seed, a.job) < std::tie(b.seed, b.job);
  });
  RankedRow row;
  row.labels = std::move(cell.labels);
  row.cell = cell.cell;
  row.ordinal = cell.ordinal;
  for (const JobResult& job : jobs) {
    row.jobs.Add(job.state);
    row.job_ids.push_back(job.job);
  }
  if (const std::optional<MeanInterval> objective = DescribeMean(SeedValues(jobs), measure)) {
    row.n = objective->n;
    row.mean = objective->mean;
    row.sd = objective->sd;
    row.ci = objective->ci;
    row.evidence = objective->evidence;
  }
  row.test_accuracy = MeanOf(jobs, [](const JobResult& job) { return job.test_accuracy; });
  row.test_loss = MeanOf(jobs, [](const JobResult& job) { return job.test_loss; });
  row.train_loss = MeanOf(jobs, [](const JobResult& job) { return job.train_loss; });
  row.seconds = MeanOf(jobs, [](const JobResult& job) { return job.seconds; });
  row.shared_epochs = MeanOf(jobs, [](const JobResult& job) { return job.shared_epochs; });
  row.best_epoch = MeanOf(jobs, [](const JobResult& job) {
    return std::optional<double>(static_cast<double>(job.objective_epoch));
  });
  row.note = Note(row.jobs, row.jobs.succeeded - row.n, FirstError(jobs));
  return row;
}

std::vector<CellObjectives> ObjectivesOf(const std::vector<CellResults>& cells) {
  std::vector<CellObjectives> objectives;
  objectives.reserve(cells.size());
  for (const CellResults& cell : cells)
    objectives.push_back({.cell = cell.cell, .ordinal = cell.ordinal, .values = SeedValues(cell.jobs)});
  return objectives;
}

std::vector<RankedRow> RankCells(std::vector<CellResults> cells, const Measure& measure) {
  const std::vector<Standing> standings = CompareWithLeader(ObjectivesOf(cells), measure);
  return RankFirstCells(std::move(cells), standings, measure);
}

std::vector<RankedRow> RankFirstCells(std::vector<CellResults> first, const std::vector<Standing>& standings,
                                      const Measure& measure) {
  std::vector<RankedRow> rows;
  rows.reserve(first.size());
  for (CellResults& cell : first) rows.push_back(SummarizeCell(std::move(cell), measure));
  std::sort(rows.begin(), rows.end(),
            [&measure](const RankedRow& a, const RankedRow& b) { return RowBefore(a, b, measure.goal); });
  TakeStandings(standings, rows);
  return rows;
}

std::string FewSeedsNote(const std::vector<RankedRow>& rows, int64_t compared, int64_t tied) {
  int64_t most = 0;
  for (const RankedRow& row : rows) {
    if (row.behind && row.behind->evidence == Evidence::kSeeds) most = std::max(most, row.behind->n);
  }
  return tied > 1 ? FewSeedsNote(most, compared) : "";
}

std::vector<RankedRow> CompareLevels(std::vector<CellResults> cells, const Measure& measure, size_t axis) {
  // The first failure of each level, by ordinal: the best cell's own note says nothing about its siblings.
  std::sort(cells.begin(), cells.end(),
            [](const CellResults& a, const CellResults& b) { return a.ordinal < b.ordinal; });
  std::map<std::string, std::string> errors;
  for (const CellResults& cell : cells) {
    std::string& error = errors[cell.labels[axis]];
    if (error.empty()) error = FirstError(cell.jobs);
  }
  std::vector<RankedRow> ranked = RankCells(std::move(cells), measure);
  const std::vector<bool> varies = VaryingAxes(ranked);
  std::vector<RankedRow> levels;
  std::vector<int64_t> without_value;
  std::map<std::string, size_t> index;
  for (const RankedRow& row : ranked) {
    const auto [it, is_new] = index.emplace(row.labels[axis], levels.size());
    if (is_new) {
      levels.push_back(row);
      levels.back().best_label = OtherLabels(row.labels, varies, axis);
      levels.back().jobs = {};
      without_value.push_back(0);
    }
    RankedRow& level = levels[it->second];
    ++level.cells;
    level.jobs.Add(JobState::kPending, row.jobs.pending);
    level.jobs.Add(JobState::kRunning, row.jobs.running);
    level.jobs.Add(JobState::kSucceeded, row.jobs.succeeded);
    level.jobs.Add(JobState::kDiverged, row.jobs.diverged);
    level.jobs.Add(JobState::kFailed, row.jobs.failed);
    level.jobs.Add(JobState::kCancelled, row.jobs.cancelled);
    without_value[it->second] += row.jobs.succeeded - row.n;
  }
  for (size_t i = 0; i < levels.size(); ++i) {
    levels[i].note = Note(levels[i].jobs, without_value[i], errors[levels[i].labels[axis]]);
  }
  RankLevels(levels);
  return levels;
}

absl::Status SortRows(std::vector<RankedRow>& rows, const std::string& column,
                      const std::vector<std::string>& axes, std::string_view metric) {
  const bool descending = column.starts_with("-");
  std::string name = descending ? column.substr(1) : column;
  if (name == metric) name = "mean";
  const auto axis = std::find(axes.begin(), axes.end(), name);
  const std::vector<std::string>& numeric = NumericColumns();
  if (axis == axes.end() && std::find(numeric.begin(), numeric.end(), name) == numeric.end()) {
    std::vector<std::string> columns = numeric;
    columns.insert(columns.begin() + 2, std::string(metric));  // beside "mean", which it is
    columns.insert(columns.end(), axes.begin(), axes.end());
    const std::string near = DidYouMean(name, columns);
    return InvalidArgument("unknown column '{}' to sort by{}; the columns are {}", name,
                           near.empty() ? "" : fmt::format(", did you mean '{}'", near),
                           fmt::join(columns, ", "));
  }
  const auto key = [&](const RankedRow& row) {
    if (axis == axes.end()) return NumericKey(row, name);
    return SortKey{.text = row.labels[static_cast<size_t>(axis - axes.begin())]};
  };
  std::stable_sort(rows.begin(), rows.end(), [&](const RankedRow& a, const RankedRow& b) {
    return KeyBefore(key(a), key(b), descending);
  });
  return absl::OkStatus();
}

}  // namespace gridsweep
