#include "common/results/render_job.h"

#include <algorithm>
#include <cmath>
#include <tuple>

#include "common/results/format_number.h"
#include "common/results/sparkline.h"
#include "common/results/text_width.h"

namespace gridsweep {
namespace {

constexpr int64_t kConfusionsShown = 10;
constexpr size_t kPredictionsShown = 16;
constexpr int kCurveWidth = 40;
constexpr int kPlainWidth = 100;

std::string ClassName(const DatasetInfo& dataset, int64_t label) {
  if (label >= 0 && label < static_cast<int64_t>(dataset.class_names.size())) {
    return dataset.class_names[static_cast<size_t>(label)];
  }
  return std::to_string(label);
}

// One metric over the epochs; NaN where it was not measured.
struct Curve {
  std::string metric;
  std::vector<double> values;
};

std::vector<Curve> Curves(const std::vector<EpochMetrics>& epochs) {
  std::vector<Curve> curves;
  for (const Metric metric : kAllMetrics) {
    Curve curve{.metric = std::string(MetricName(metric)), .values = {}};
    bool measured = false;
    for (const EpochMetrics& epoch : epochs) {
      const std::optional<double> value = MetricValue(epoch, metric);
      measured = measured || value.has_value();
      curve.values.push_back(value.value_or(std::nan("")));
    }
    if (measured) curves.push_back(std::move(curve));
  }
  return curves;
}

Table CurveTable(const JobReport& job) {
  Table table;
  table.columns = {{.key = "metric", .header = "metric"},
                   {.key = "curve", .header = "curve", .min_width = 8},
                   {.key = "first", .header = "first", .align = Align::kRight, .priority = 1},
                   {.key = "last", .header = "last", .align = Align::kRight},
                   {.key = "best", .header = "best", .align = Align::kRight},
                   {.key = "epoch", .header = "at epoch", .align = Align::kRight}};
  for (const Curve& curve : Curves(job.epochs)) {
    const auto shown = [&](double value) { return Cell::Text(FormatMetric(curve.metric, value)); };
    size_t best = 0;
    const bool higher = IsAccuracy(curve.metric);
    for (size_t i = 1; i < curve.values.size(); ++i) {
      const double value = curve.values[i];
      const double so_far = curve.values[best];
      if (std::isnan(so_far) || (higher ? value > so_far : value < so_far)) best = i;
    }
    table.rows.push_back({Cell::Text(curve.metric + (curve.metric == job.metric ? " *" : "")),
                          Cell::Text(Sparkline(curve.values, kCurveWidth)), shown(curve.values.front()),
                          shown(curve.values.back()), shown(curve.values[best]),
                          Cell::Integer(job.epochs[best].epoch)});
  }
  return table;
}

Cell Number(std::optional<double> value) {
  return value ? Cell("", NumberToJson(*value)) : Cell();
}

Table EpochTable(const JobReport& job) {
  Table table;
  table.columns = {{.key = "epoch", .header = "epoch", .align = Align::kRight},
                   {.key = "train_loss", .header = "train loss", .align = Align::kRight},
                   {.key = "train_accuracy", .header = "train acc", .align = Align::kRight},
                   {.key = "val_loss", .header = "val loss", .align = Align::kRight},
                   {.key = "val_accuracy", .header = "val acc", .align = Align::kRight},
                   {.key = "test_loss", .header = "test loss", .align = Align::kRight},
                   {.key = "test_accuracy", .header = "test acc", .align = Align::kRight},
                   {.key = "lr", .header = "lr", .align = Align::kRight},
                   {.key = "seconds", .header = "s", .align = Align::kRight},
                   {.key = "samples_per_second", .header = "images/s", .align = Align::kRight},
                   {.key = "shared_by", .header = "", .audience = Audience::kMachines}};
  for (const EpochMetrics& epoch : job.epochs) {
    std::vector<Cell> row = {Cell::Integer(epoch.epoch),    Number(epoch.train_loss),
                             Number(epoch.train_accuracy),  Number(epoch.val_loss),
                             Number(epoch.val_accuracy),    Number(epoch.test_loss),
                             Number(epoch.test_accuracy),   Number(epoch.lr),
                             Number(epoch.seconds),         Number(epoch.samples_per_second),
                             Cell::Integer(epoch.shared_by)};
    for (size_t c = 1; c + 1 < row.size(); ++c) {
      if (row[c].value.is_null()) continue;
      const double value = *NumberFromJson(row[c].value);
      const std::string& key = table.columns[c].key;
      row[c].text = c < 7              ? FormatMetric(key, value)
                    : key == "lr"      ? FormatPlain(value)
                    : key == "seconds" ? FormatSeconds(value)
                                       : FormatCount(std::llround(std::isfinite(value) ? value : 0));
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

Table ConfusionTable(const JobReport& job) {
  Table table;
  table.columns = {{.key = "actual", .header = "actual"},
                   {.key = "predicted", .header = "taken for"},
                   {.key = "count", .header = "images", .align = Align::kRight},
                   {.key = "share", .header = "share of actual", .align = Align::kRight}};
  for (const Confusion& confusion : WorstConfusions(job.evaluation.confusion, kConfusionsShown)) {
    table.rows.push_back({Cell::Text(ClassName(job.dataset, confusion.actual)),
                          Cell::Text(ClassName(job.dataset, confusion.predicted)),
                          Cell::Integer(confusion.count),
                          Cell(FormatAccuracy(confusion.share), confusion.share)});
  }
  return table;
}

Table PredictionTable(const JobReport& job) {
  Table table;
  table.columns = {{.key = "index", .header = "test image", .align = Align::kRight},
                   {.key = "actual", .header = "actual"},
                   {.key = "predicted", .header = "predicted"},
                   {.key = "confidence", .header = "confidence", .align = Align::kRight},
                   {.key = "correct", .header = ""}};
  const std::vector<Prediction>& all = job.evaluation.predictions;
  for (size_t i = 0; i < std::min(all.size(), kPredictionsShown); ++i) {
    const bool correct = all[i].actual == all[i].predicted;
    table.rows.push_back({Cell::Integer(all[i].index), Cell::Text(ClassName(job.dataset, all[i].actual)),
                          Cell::Text(ClassName(job.dataset, all[i].predicted)),
                          Cell(FormatAccuracy(all[i].confidence), all[i].confidence),
                          Cell(correct ? "✓" : "✗ wrong", correct)});
  }
  return table;
}

Table AttemptTable(const JobReport& job) {
  Table table;
  table.columns = {{.key = "number", .header = "attempt", .align = Align::kRight},
                   {.key = "state", .header = "state"},
                   {.key = "accepted", .header = "", .audience = Audience::kMachines},
                   {.key = "resumed_epoch", .header = "", .audience = Audience::kMachines},
                   {.key = "worker", .header = "worker", .min_width = 6},
                   {.key = "device", .header = "device", .priority = 2},
                   {.key = "started", .header = "started (UTC)", .priority = 1},
                   {.key = "seconds", .header = "took", .align = Align::kRight, .priority = 3},
                   {.key = "error", .header = "error", .min_width = 12}};
  for (const AttemptReport& attempt : job.attempts) {
    const bool ended = attempt.ended.has_value();
    const double seconds = ended ? absl::ToDoubleSeconds(*attempt.ended - attempt.started) : 0;
    std::string state = attempt.state + (attempt.accepted ? ", accepted" : "");
    if (attempt.resumed_epoch > 0) state += fmt::format(", went on from epoch {}", attempt.resumed_epoch);
    table.rows.push_back(
        {Cell::Integer(attempt.number), Cell(state, attempt.state), Cell("", attempt.accepted),
         Cell("", attempt.resumed_epoch), Cell::Text(attempt.worker), Cell::Text(attempt.device),
         Cell::Text(absl::FormatTime("%Y-%m-%d %H:%M:%S", attempt.started, absl::UTCTimeZone())),
         ended ? Cell(FormatDuration(seconds), seconds) : Cell(), Cell::Text(attempt.error)});
  }
  return table;
}

// What the job cost: epochs that were trained for several jobs at once count with a share.
double CostSeconds(const JobReport& job) {
  double seconds = 0;
  for (const EpochMetrics& epoch : job.epochs) {
    if (std::isfinite(epoch.seconds)) seconds += epoch.seconds / static_cast<double>(epoch.shared_by);
  }
  return seconds;
}

int64_t SharedEpochs(const JobReport& job) {
  return std::count_if(job.epochs.begin(), job.epochs.end(),
                       [](const EpochMetrics& epoch) { return epoch.shared_by > 1; });
}

// "epochs 1–3 were trained once for 3 jobs, 4–6 once for 2"; empty if none was shared.
std::string SharedText(const JobReport& job) {
  std::string text;
  for (size_t begin = 0, end = 0; begin < job.epochs.size(); begin = end) {
    const int64_t shared_by = job.epochs[begin].shared_by;
    while (end < job.epochs.size() && job.epochs[end].shared_by == shared_by) ++end;
    if (shared_by == 1) continue;
    const int64_t first = job.epochs[begin].epoch;
    const int64_t last = job.epochs[end - 1].epoch;
    const std::string range = first == last ? fmt::format("{}", first) : fmt::format("{}–{}", first, last);
    if (text.empty()) {
      text = fmt::format("{} {} {} trained once for {} jobs", first == last ? "epoch" : "epochs", range,
                         first == last ? "was" : "were", shared_by);
    } else {
      text += fmt::format(", {} once for {}", range, shared_by);
    }
  }
  return text;
}

std::string Heading(const JobReport& job, int width) {
  std::vector<std::string> labels;
  for (size_t i = 0; i < job.labels.size(); ++i) {
    labels.push_back(i < job.axes.size() ? fmt::format("{} = {}", job.axes[i], job.labels[i])
                                         : job.labels[i]);
  }
  std::string text = WrapText(
      fmt::format("job {} of {} (sweep {}): {}", job.id, Printable(job.sweep_name), job.sweep, job.state),
      width);
  text += WrapText(Printable(fmt::format("{}, seed {}", fmt::join(labels, ", "), job.seed)), width);
  if (job.objective) {
    text += fmt::format("{} {} at epoch {}\n", job.metric, FormatMetric(job.metric, *job.objective),
                        job.objective_epoch);
  }
  if (!job.epochs.empty()) {
    const std::string shared = SharedText(job);
    text += WrapText(
        fmt::format("cost {} s{}", FormatSeconds(CostSeconds(job)), shared.empty() ? "" : ": " + shared),
        width);
  }
  if (!job.error.empty()) text += fmt::format("last error: {}\n", Printable(job.error));
  return text;
}

std::string Section(const std::string& title, const Table& table, const Screen& screen) {
  if (table.rows.empty()) return "";
  const std::string heading = screen.color ? "\x1b[1m" + title + "\x1b[0m" : title;
  return "\n" + heading + "\n" + RenderTable(table, screen);
}

std::string StderrTails(const JobReport& job, int width) {
  std::string text;
  for (const AttemptReport& attempt : job.attempts) {
    if (attempt.stderr_tail.empty()) continue;
    text += fmt::format("\nLast lines of the trainer in attempt {}\n", attempt.number);
    for (size_t begin = 0; begin < attempt.stderr_tail.size();) {
      const size_t end = std::min(attempt.stderr_tail.find('\n', begin), attempt.stderr_tail.size());
      text += "  " + Truncate(Printable(attempt.stderr_tail.substr(begin, end - begin)), width - 2) + "\n";
      begin = end + 1;
    }
  }
  return text;
}

Json JobToJson(const JobReport& job) {
  Json axes = Json::object();
  for (size_t i = 0; i < std::min(job.axes.size(), job.labels.size()); ++i) axes[job.axes[i]] = job.labels[i];
  const absl::StatusOr<Json> params = ParseJson(job.params_json);
  Json predictions = Json::array();
  for (const Prediction& prediction : job.evaluation.predictions) {
    predictions.push_back({{"index", prediction.index},
                           {"actual", ClassName(job.dataset, prediction.actual)},
                           {"predicted", ClassName(job.dataset, prediction.predicted)},
                           {"confidence", NumberToJson(prediction.confidence)}});
  }
  return {{"id", job.id},
          {"sweep", job.sweep},
          {"sweep_name", job.sweep_name},
          {"state", job.state},
          {"labels", axes},
          {"seed", job.seed},
          {"metric", job.metric},
          {"objective", job.objective ? NumberToJson(*job.objective) : Json()},
          {"objective_epoch", job.objective_epoch},
          {"error", job.error},
          {"seconds", CostSeconds(job)},
          {"shared_epochs", SharedEpochs(job)},
          {"key", job.key},
          {"parameters", params.ok() ? *params : Json()},
          {"epochs", TableToJson(EpochTable(job))},
          {"class_names", job.dataset.class_names},
          {"confusion", job.evaluation.confusion},
          {"predictions", predictions},
          {"attempts", TableToJson(AttemptTable(job))}};
}

}  // namespace

std::vector<Confusion> WorstConfusions(const std::vector<int64_t>& confusion, int64_t limit) {
  const auto classes = static_cast<int64_t>(std::llround(std::sqrt(static_cast<double>(confusion.size()))));
  if (classes * classes != static_cast<int64_t>(confusion.size())) return {};
  std::vector<Confusion> all;
  for (int64_t actual = 0; actual < classes; ++actual) {
    const auto row = confusion.begin() + actual * classes;
    int64_t total = 0;
    for (int64_t predicted = 0; predicted < classes; ++predicted) total += row[predicted];
    for (int64_t predicted = 0; predicted < classes; ++predicted) {
      if (predicted == actual || row[predicted] == 0) continue;
      all.push_back({actual, predicted, row[predicted],
                     static_cast<double>(row[predicted]) / static_cast<double>(total)});
    }
  }
  std::sort(all.begin(), all.end(), [](const Confusion& a, const Confusion& b) {
    return std::make_tuple(-a.count, a.actual, a.predicted) <
           std::make_tuple(-b.count, b.actual, b.predicted);
  });
  if (static_cast<int64_t>(all.size()) > limit) all.resize(static_cast<size_t>(limit));
  return all;
}

std::string RenderJob(const JobReport& job, OutputFormat format, const Screen& screen) {
  if (format == OutputFormat::kJson) {
    return JobToJson(job).dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  }
  if (format != OutputFormat::kTable) return Render(EpochTable(job), format, screen);
  std::string text = Heading(job, screen.width);
  text +=
      Section("Learning curves, epoch by epoch (* is what the sweep is ranked by)", CurveTable(job), screen);
  text += Section("Worst confusions on the test set", ConfusionTable(job), screen);
  text += Section("Sample predictions", PredictionTable(job), screen);
  text += Section("Attempts", AttemptTable(job), screen);
  return text + StderrTails(job, screen.width > 0 ? screen.width : kPlainWidth);
}

}  // namespace gridsweep
