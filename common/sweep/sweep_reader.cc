// ParseSweep: the top level of a sweep file.
#include <algorithm>
#include <unordered_set>

#include "common/catalog/quote.h"
#include "common/sweep/axis_reader.h"
#include "common/sweep/exclude_reader.h"
#include "common/sweep/grid.h"
#include "common/sweep/scalar_reader.h"
#include "common/sweep/sweep_spec.h"
#include "common/sweep/yaml_reader.h"

namespace gridsweep {
namespace {

constexpr size_t kMaxNameLength = 64;
constexpr size_t kMaxDatasetNameLength = 128;
// Seeds are 32 bits wide, as in other tools that users compare with.
constexpr double kMaxSeed = 4'294'967'295;

// An axis that the file leaves out has this one value.
std::string_view DefaultComponent(Axis axis) {
  switch (axis) {
    case Axis::kModel:
      return "mlp";
    case Axis::kActivation:
      return "relu";
    case Axis::kOptimizer:
      return "adam";
    case Axis::kRegularization:
    case Axis::kScheduler:
      break;
  }
  return "none";
}

class SweepReader {
 public:
  SweepReader(const SweepSource& source, const Catalog& catalog, const SweepLimits& limits)
      : source_(source), catalog_(catalog), limits_(limits) {}

  absl::StatusOr<SweepSpec> Read(const YamlNode& root) {
    if (root.IsNull()) return source_.Error({}, "the file is empty, expected a sweep");
    if (!root.IsMap()) {
      return source_.Error(
          root.at,
          fmt::format("expected a sweep with the keys name, dataset and grid, got {}", Describe(root)));
    }
    GS_RETURN_IF_ERROR(CheckKeys(
        source_, root, {"name", "dataset", "training", "objective", "seeds", "grid", "exclude"}, ""));
    GS_ASSIGN_OR_RETURN(const YamlNode* name, Required(root, "name"));
    GS_ASSIGN_OR_RETURN(spec_.name, ReadName(source_, *name, "name", kMaxNameLength));
    GS_ASSIGN_OR_RETURN(const YamlNode* dataset, Required(root, "dataset"));
    GS_ASSIGN_OR_RETURN(spec_.dataset, ReadName(source_, *dataset, "dataset", kMaxDatasetNameLength));
    if (const YamlNode* training = FindKey(root, "training")) GS_RETURN_IF_ERROR(ReadTraining(*training));
    GS_RETURN_IF_ERROR(ReadObjective(FindKey(root, "objective")));
    GS_RETURN_IF_ERROR(ReadSeeds(FindKey(root, "seeds")));
    GS_ASSIGN_OR_RETURN(const YamlNode* grid, Required(root, "grid"));
    GS_RETURN_IF_ERROR(ReadGrid(*grid));
    GS_RETURN_IF_ERROR(CheckBatchSize(FindKey(root, "training")));
    if (const YamlNode* exclude = FindKey(root, "exclude")) {
      GS_ASSIGN_OR_RETURN(spec_.exclude, ReadExclusions(source_, *exclude, catalog_, spec_.axes));
    }
    GS_RETURN_IF_ERROR(CheckCells(*grid, FindKey(root, "exclude")));
    return std::move(spec_);
  }

 private:
  absl::StatusOr<const YamlNode*> Required(const YamlNode& root, std::string_view key) {
    const YamlNode* node = FindKey(root, key);
    if (node == nullptr) return source_.Error(root.at, fmt::format("missing key '{}'", key));
    return node;
  }

  absl::Status ReadTraining(const YamlNode& node) {
    if (!node.IsMap()) {
      return source_.Error(node.at,
                           fmt::format("training: expected a map such as {{epochs: 10, batch_size: 128}}, "
                                       "got {}",
                                       Describe(node)));
    }
    std::vector<std::string> names;
    for (const ParamSpec& param : TrainingParams()) names.push_back(param.name);
    GS_RETURN_IF_ERROR(CheckKeys(source_, node, names, "training"));
    for (const ParamSpec& param : TrainingParams()) {
      const YamlNode* value = FindKey(node, param.name);
      if (value == nullptr) continue;
      if (value->IsList()) {
        return source_.Error(value->at,
                             fmt::format("training, '{}': expected {}, got a list: training settings are "
                                         "not part of the grid",
                                         param.name, param.Expectation()));
      }
      GS_ASSIGN_OR_RETURN(const ParamValue read,
                          ReadParam(source_, *value, param, fmt::format("training, '{}'", param.name)));
      SetTrainingParam(spec_.training, param.name, read);
    }
    return absl::OkStatus();
  }

  // REQUIRES: the training settings are read.
  absl::Status ReadObjective(const YamlNode* node) {
    if (node == nullptr) {
      spec_.objective =
          DefaultObjective(spec_.training.validation > 0 ? Metric::kValAccuracy : Metric::kTestAccuracy);
      return absl::OkStatus();
    }
    const YamlNode* metric = node;
    if (node->IsMap()) {
      GS_RETURN_IF_ERROR(CheckKeys(source_, *node, {"metric", "goal", "epoch"}, "objective"));
      metric = FindKey(*node, "metric");
      if (metric == nullptr) return source_.Error(node->at, "objective: missing key 'metric'");
    }
    GS_ASSIGN_OR_RETURN(const Metric parsed, ReadWord(*metric, "objective", ParseMetric));
    spec_.objective = DefaultObjective(parsed);
    if (node->IsMap()) {
      if (const YamlNode* goal = FindKey(*node, "goal")) {
        GS_ASSIGN_OR_RETURN(spec_.objective.goal, ReadWord(*goal, "objective", ParseGoal));
      }
      if (const YamlNode* epoch = FindKey(*node, "epoch")) {
        GS_ASSIGN_OR_RETURN(spec_.objective.epoch, ReadWord(*epoch, "objective", ParseEpochRule));
      }
    }
    if (!NeedsValidation(parsed) || spec_.training.validation > 0) return absl::OkStatus();
    return source_.Error(
        metric->at, fmt::format("objective '{}' needs held-out images, but training has validation: 0; write "
                                "objective: {}, or hold some out, such as validation: 0.1",
                                MetricName(parsed), IsLoss(parsed) ? "test_loss" : "test_accuracy"));
  }

  template <typename T>
  absl::StatusOr<T> ReadWord(const YamlNode& node, const std::string& what,
                             absl::StatusOr<T> (*parse)(std::string_view)) {
    GS_ASSIGN_OR_RETURN(const std::string text, ReadText(source_, node, what));
    absl::StatusOr<T> parsed = parse(text);
    if (parsed.ok()) return parsed;
    return source_.Error(node.at, fmt::format("{}: {}", what, Message(parsed.status())));
  }

  absl::Status ReadSeeds(const YamlNode* node) {
    if (node == nullptr) {
      spec_.seeds = {1};
      return absl::OkStatus();
    }
    ParamSpec count{.type = ParamType::kInt, .min = 1, .max = static_cast<double>(limits_.max_jobs)};
    ParamSpec seed{.type = ParamType::kInt, .min = 0, .max = kMaxSeed};
    if (!node->IsList()) {
      GS_ASSIGN_OR_RETURN(const ParamValue n,
                          ReadParam(source_, *node, count, "seeds (how many, or a list)"));
      for (int64_t i = 1; i <= std::get<int64_t>(n); ++i) spec_.seeds.push_back(i);
      return absl::OkStatus();
    }
    if (node->items.empty())
      return source_.Error(node->at, "seeds: an empty list, expected at least one seed");
    std::unordered_set<int64_t> seen;
    for (const YamlNode& item : node->items) {
      GS_ASSIGN_OR_RETURN(const ParamValue value, ReadParam(source_, item, seed, "seeds"));
      const auto number = std::get<int64_t>(value);
      if (!seen.insert(number).second) {
        return source_.Error(item.at, fmt::format("seeds: {} appears twice", number));
      }
      spec_.seeds.push_back(number);
    }
    return absl::OkStatus();
  }

  // REQUIRES: the seeds are read.
  absl::Status ReadGrid(const YamlNode& node) {
    if (!node.IsMap()) {
      return source_.Error(
          node.at,
          fmt::format("grid: expected a map of axes such as {{model: [mlp, cnn]}}, got {}", Describe(node)));
    }
    std::vector<std::string> names;
    for (const Axis axis : kAllAxes) names.emplace_back(AxisName(axis));
    GS_RETURN_IF_ERROR(CheckKeys(source_, node, names, "grid"));
    std::array<std::vector<AxisItem>, kAxisCount> items;
    GridSize total(1);
    for (const Axis axis : kAllAxes) {
      auto& axis_items = items[static_cast<size_t>(axis)];
      const YamlNode* values = FindKey(node, AxisName(axis));
      GS_ASSIGN_OR_RETURN(axis_items,
                          values != nullptr ? ReadAxis(source_, *values, axis, catalog_) : DefaultAxis(axis));
      total.Multiply(AxisSize(axis_items));
    }
    GS_RETURN_IF_ERROR(CheckSize(node, items, total));
    for (size_t axis = 0; axis < kAxisCount; ++axis) {
      spec_.axes[axis] = ExpandAxis(items[axis], &spec_.duplicates[axis]);
    }
    return absl::OkStatus();
  }

  // REQUIRES: training settings and grid are read.
  absl::Status CheckBatchSize(const YamlNode* training) {
    if (spec_.training.batch_size > 1 || training == nullptr) return absl::OkStatus();
    for (const AxisValue& value : spec_.axis(Axis::kModel)) {
      const Component& model = value.components.front();
      const auto norm = model.params.find("batch_norm");
      if (norm == model.params.end() || norm->second != ParamValue(true)) continue;
      return source_.Error(
          FindKey(*training, "batch_size")->at,
          fmt::format(
              "training, 'batch_size': batches of 1 leave model '{0}' nothing to normalize over: raise batch_size "
              "to 2 or more, or write {{{0}: {{batch_norm: false}}}}",
              model.name));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<AxisItem>> DefaultAxis(Axis axis) {
    AxisItem item;
    if (axis != Axis::kRegularization) {
      GS_ASSIGN_OR_RETURN(const ComponentSpec* spec, catalog_.Find(axis, DefaultComponent(axis)));
      item.components.push_back({spec, {}});
    }
    return std::vector<AxisItem>{std::move(item)};
  }

  // Before anything is expanded.
  absl::Status CheckSize(const YamlNode& node, const std::array<std::vector<AxisItem>, kAxisCount>& items,
                         const GridSize& combinations) {
    for (const Axis axis : kAllAxes) {
      const GridSize size = AxisSize(items[static_cast<size_t>(axis)]);
      if (!size.Exceeds(limits_.max_axis_values)) continue;
      return source_.TooLarge(FindKey(node, AxisName(axis))->at,
                              fmt::format("{} has {} values, more than the {} an axis may have",
                                          AxisName(axis), size.Text(), CountText(limits_.max_axis_values)));
    }
    GridSize jobs = combinations;
    jobs.Multiply(GridSize(static_cast<int64_t>(spec_.seeds.size())));
    const int64_t limit = limits_.max_jobs * limits_.max_raw_factor;
    if (!jobs.Exceeds(limit)) return absl::OkStatus();
    return source_.TooLarge(
        node.at, fmt::format("the grid has {}, more than the {} allowed before exclusions",
                             JobsText(combinations.Text(), "combinations", jobs.Text()), CountText(limit)));
  }

  absl::Status CheckCells(const YamlNode& node, const YamlNode* exclude) {
    const Grid grid(spec_);
    if (grid.cells() == 0) {
      return source_.Error(exclude->at, fmt::format("exclude: the rules remove every combination, {0} of {0}",
                                                    CountText(grid.combinations())));
    }
    if (grid.jobs() <= limits_.max_jobs) return absl::OkStatus();
    return source_.TooLarge(node.at,
                            fmt::format("the grid has {}, more than the limit of {}",
                                        JobsText(CountText(grid.cells()), "cells", CountText(grid.jobs())),
                                        CountText(limits_.max_jobs)));
  }

  // "468 cells × 3 seeds = 1,404 jobs", or "468 jobs" with one seed.
  std::string JobsText(const std::string& cells, std::string_view noun, const std::string& jobs) const {
    if (spec_.seeds.size() == 1) return jobs + " jobs";
    return fmt::format("{} {} × {} seeds = {} jobs", cells, noun, spec_.seeds.size(), jobs);
  }

  const SweepSource& source_;
  const Catalog& catalog_;
  const SweepLimits& limits_;
  SweepSpec spec_;
};

}  // namespace

absl::StatusOr<SweepSpec> ParseSweep(std::string_view text, std::string_view file, const Catalog& catalog,
                                     const SweepLimits& limits) {
  const SweepSource source(text, file);
  GS_ASSIGN_OR_RETURN(const YamlNode root, ReadYaml(source));
  return SweepReader(source, catalog, limits).Read(root);
}

}  // namespace gridsweep
