#include "common/results/render_comparison.h"

#include <cmath>

#include "common/results/format_number.h"
#include "common/results/sparkline.h"
#include "common/results/text_width.h"

namespace gridsweep {
namespace {

constexpr size_t kImagesShown = 16;
constexpr size_t kConfusionsShown = 10;
constexpr int kCurveWidth = 40;

std::string ClassName(const ComparedSide& side, int64_t label) {
  const std::vector<std::string>& names = side.jobs.front().dataset.class_names;
  const auto at = static_cast<size_t>(label);
  return at < names.size() ? names[at] : std::to_string(label);
}

std::string FormatValue(const std::string& metric, double value) {
  return metric == "seconds" ? FormatSeconds(value) + " s" : FormatMetric(metric, value);
}

std::string FormatMean(const std::string& metric, const std::optional<MeanInterval>& mean) {
  if (!mean) return "–";
  if (!mean->ci) return FormatValue(metric, mean->mean);
  return FormatInterval(metric, mean->mean, *mean->ci) + (metric == "seconds" ? " s" : "");
}

Table ParameterTable(const Comparison& comparison) {
  Table table;
  table.columns = {{.key = "parameter", .header = "parameter"},
                   {.key = "a", .header = "A", .min_width = 8},
                   {.key = "b", .header = "B", .min_width = 8}};
  for (const ParameterDifference& parameter : comparison.parameters) {
    table.rows.push_back({Cell::Text(parameter.name),
                          Cell(parameter.a.empty() ? "–" : parameter.a, parameter.a),
                          Cell(parameter.b.empty() ? "–" : parameter.b, parameter.b)});
  }
  return table;
}

Table MetricTable(const Comparison& comparison) {
  Table table;
  table.columns = {{.key = "metric", .header = "metric"},
                   {.key = "", .header = "A", .align = Align::kRight, .audience = Audience::kPeople},
                   {.key = "n_a", .header = "", .audience = Audience::kMachines},
                   {.key = "a", .header = "", .audience = Audience::kMachines},
                   {.key = "ci95_a", .header = "", .audience = Audience::kMachines},
                   {.key = "", .header = "B", .align = Align::kRight, .audience = Audience::kPeople},
                   {.key = "n_b", .header = "", .audience = Audience::kMachines},
                   {.key = "b", .header = "", .audience = Audience::kMachines},
                   {.key = "ci95_b", .header = "", .audience = Audience::kMachines},
                   {.key = "", .header = "A minus B", .align = Align::kRight, .audience = Audience::kPeople},
                   {.key = "difference", .header = "", .audience = Audience::kMachines},
                   {.key = "difference_ci95", .header = "", .audience = Audience::kMachines},
                   {.key = "p", .header = "p", .align = Align::kRight},
                   {.key = "evidence", .header = "", .audience = Audience::kMachines}};
  for (const MetricDifference& metric : comparison.metrics) {
    const auto& difference = metric.difference;
    const auto mean = [](const std::optional<MeanInterval>& of) {
      return Cell::Raw(of ? std::optional(of->mean) : std::nullopt);
    };
    const auto ci = [](const std::optional<MeanInterval>& of) {
      return Cell::Raw(of ? of->ci : std::nullopt);
    };
    const std::string gap = !difference ? "–"
                                        : FormatGap(metric.metric, difference->mean, difference->ci) +
                                              (metric.metric == "seconds" ? " s" : "");
    table.rows.push_back(
        {Cell::Text(metric.metric), Cell(FormatMean(metric.metric, metric.a), nullptr),
         Cell::Integer(metric.a ? metric.a->n : 0), mean(metric.a), ci(metric.a),
         Cell(FormatMean(metric.metric, metric.b), nullptr), Cell::Integer(metric.b ? metric.b->n : 0),
         mean(metric.b), ci(metric.b), Cell(gap, nullptr),
         Cell::Raw(difference ? std::optional(difference->mean) : std::nullopt),
         Cell::Raw(difference ? difference->ci : std::nullopt),
         difference && difference->p ? Cell(FormatPValue(*difference->p), *difference->p) : Cell(),
         Cell::Text(std::string(EvidenceName(difference ? difference->evidence : Evidence::kNone)))});
  }
  return table;
}

Table CurveTable(const Comparison& comparison) {
  Table table;
  table.columns = {{.key = "epoch", .header = "epoch", .align = Align::kRight},
                   {.key = "a", .header = "A", .align = Align::kRight},
                   {.key = "b", .header = "B", .align = Align::kRight},
                   {.key = "difference", .header = "A minus B", .align = Align::kRight}};
  const auto shown = [&](const std::optional<double>& value) {
    return value ? Cell(FormatMetric(comparison.curve_metric, *value), NumberToJson(*value)) : Cell();
  };
  for (const EpochDifference& epoch : comparison.curve) {
    Cell difference;
    if (epoch.a && epoch.b) {
      const double gap = *epoch.a - *epoch.b;
      difference = Cell(FormatGap(comparison.curve_metric, gap, std::nullopt), NumberToJson(gap));
    }
    table.rows.push_back({Cell::Integer(epoch.epoch), shown(epoch.a), shown(epoch.b), difference});
  }
  return table;
}

Table ImageTable(const Comparison& comparison, const ComparedSide& side, size_t most) {
  Table table;
  table.columns = {{.key = "image", .header = "test image", .align = Align::kRight},
                   {.key = "actual", .header = "actual"},
                   {.key = "a_says", .header = "A says"},
                   {.key = "a_right", .header = "A right", .align = Align::kRight},
                   {.key = "b_says", .header = "B says"},
                   {.key = "b_right", .header = "B right", .align = Align::kRight},
                   {.key = "seeds", .header = "", .audience = Audience::kMachines}};
  for (const ImageDifference& image : comparison.images) {
    if (table.rows.size() == most) break;
    const auto right = [&](int64_t count) {
      const std::string text =
          image.seeds == 1 ? (count > 0 ? "yes" : "no") : fmt::format("{} of {}", count, image.seeds);
      return Cell(text, count);
    };
    table.rows.push_back({Cell::Integer(image.image), Cell::Text(ClassName(side, image.actual)),
                          Cell::Text(ClassName(side, image.a_says)), right(image.a_right),
                          Cell::Text(ClassName(side, image.b_says)), right(image.b_right),
                          Cell::Integer(image.seeds)});
  }
  return table;
}

Table ConfusionTable(const Comparison& comparison, const ComparedSide& side, size_t most) {
  Table table;
  table.columns = {{.key = "actual", .header = "actual"},
                   {.key = "predicted", .header = "taken for"},
                   {.key = "a", .header = "A: images", .align = Align::kRight},
                   {.key = "b", .header = "B: images", .align = Align::kRight},
                   {.key = "difference", .header = "A minus B", .align = Align::kRight}};
  for (const ConfusionDifference& confusion : comparison.confusions) {
    if (table.rows.size() == most) break;
    const auto count = [](double value) { return Cell(FormatMeanCount(value), value); };
    table.rows.push_back({Cell::Text(ClassName(side, confusion.actual)),
                          Cell::Text(ClassName(side, confusion.predicted)), count(confusion.a),
                          count(confusion.b), count(confusion.a - confusion.b)});
  }
  return table;
}

std::string Heading(const std::string& title, const Screen& screen) {
  return "\n" + WrapText(Printable(title), screen.width);
}

std::string CurveSparklines(const Comparison& comparison) {
  std::vector<double> a;
  std::vector<double> b;
  for (const EpochDifference& epoch : comparison.curve) {
    a.push_back(epoch.a.value_or(std::nan("")));
    b.push_back(epoch.b.value_or(std::nan("")));
  }
  // On one scale: drawn as one line and cut in the middle.
  std::vector<double> both = a;
  both.insert(both.end(), b.begin(), b.end());
  if (both.size() > static_cast<size_t>(kCurveWidth)) return "";
  const std::string line = Sparkline(both, static_cast<int>(both.size()));
  const std::vector<Character> characters = Characters(line);
  std::string of_a;
  std::string of_b;
  for (size_t i = 0; i < characters.size(); ++i) (i < a.size() ? of_a : of_b) += characters[i].bytes;
  return "A " + of_a + "\nB " + of_b + "\n";
}

std::string ForPeople(const Comparison& comparison, const ComparedSide& a, const ComparedSide& b,
                      const Screen& screen) {
  std::string text =
      WrapText(Printable("A: " + a.name), screen.width) + WrapText(Printable("B: " + b.name), screen.width);
  text += Heading(comparison.parameters.empty() ? "No parameter differs" : "Parameters that differ", screen);
  if (!comparison.parameters.empty()) text += RenderTable(ParameterTable(comparison), screen);
  const bool several = a.jobs.size() > 1 || b.jobs.size() > 1;
  text += Heading(
      several
          ? "Metrics at the epoch that counts; ±: 95 % confidence interval over seeds, of differences paired by seed"
          : "Metrics at the epoch that counts; ± of accuracies: 1.96 standard errors of a share of so many images, not of other seeds",
      screen);
  text += RenderTable(MetricTable(comparison), screen);
  if (!comparison.curve.empty()) {
    text += Heading(
        fmt::format("{} by epoch{}", comparison.curve_metric, several ? ", means over seeds" : ""), screen);
    text += CurveSparklines(comparison) + RenderTable(CurveTable(comparison), screen);
  }
  const int64_t predictions =
      comparison.both_right + comparison.only_a_right + comparison.only_b_right + comparison.both_wrong;
  if (predictions > 0) {
    text += Heading(
        fmt::format(
            "Of {} predictions for the sample of test images: both right {}, only A {}, only B {}, both wrong {}",
            FormatCount(predictions), comparison.both_right, comparison.only_a_right, comparison.only_b_right,
            comparison.both_wrong),
        screen);
    if (!comparison.images.empty()) text += RenderTable(ImageTable(comparison, a, kImagesShown), screen);
    if (comparison.images.size() > kImagesShown)
      text += fmt::format("… {} more; --format json has all\n", comparison.images.size() - kImagesShown);
  }
  if (!comparison.confusions.empty()) {
    text += Heading("What one confuses more often than the other, in test images a job", screen);
    text += RenderTable(ConfusionTable(comparison, a, kConfusionsShown), screen);
  }
  return text;
}

Json SideToJson(const ComparedSide& side) {
  Json jobs = Json::array();
  for (const JobReport& job : side.jobs)
    jobs.push_back({{"job", job.id}, {"seed", job.seed}, {"state", job.state}});
  return {{"name", side.name}, {"jobs", jobs}};
}

}  // namespace

std::string RenderComparison(const Comparison& comparison, const ComparedSide& a, const ComparedSide& b,
                             OutputFormat format, const Screen& screen) {
  if (format == OutputFormat::kTable) return ForPeople(comparison, a, b, screen);
  if (format != OutputFormat::kJson) return Render(MetricTable(comparison), format, screen);
  const Json json = {
      {"a", SideToJson(a)},
      {"b", SideToJson(b)},
      {"parameters", TableToJson(ParameterTable(comparison))},
      {"metrics", TableToJson(MetricTable(comparison))},
      {"curve_metric", comparison.curve_metric},
      {"curve", TableToJson(CurveTable(comparison))},
      {"predictions",
       {{"both_right", comparison.both_right},
        {"only_a_right", comparison.only_a_right},
        {"only_b_right", comparison.only_b_right},
        {"both_wrong", comparison.both_wrong}}},
      {"images", TableToJson(ImageTable(comparison, a, comparison.images.size()))},
      {"confusions", TableToJson(ConfusionTable(comparison, a, comparison.confusions.size()))}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace gridsweep
