#include "coordinator/service/results_answers.h"

#include <algorithm>

#include "coordinator/service/sweep_views.h"

namespace gridsweep {
namespace {

bool OnTest(Metric metric) {
  return metric == Metric::kTestLoss || metric == Metric::kTestAccuracy;
}

// Whether only the first cells by rank are asked for, so that the others need not be read in full.
bool WantsFirstOnly(const v1::RankRequest& request) {
  return request.top() > 0 && request.by().empty() && request.sort().empty();
}

void CountTies(const std::vector<Standing>& standings, v1::RankResponse& response) {
  int64_t ranked = 0;
  int64_t tied = 0;
  int64_t compared = 0;
  for (const Standing& standing : standings) {
    ranked += standing.rank > 0;
    tied += standing.tied;
    compared += standing.behind.has_value() && standing.behind->p.has_value();
  }
  response.set_ranked_cells(ranked);
  response.set_tied_cells(std::max<int64_t>(tied, ranked > 0 ? 1 : 0));
  response.set_compared_cells(compared);
}

}  // namespace

absl::StatusOr<v1::RankResponse> AnswerRank(StoreReader& reader, SweepId id, const v1::RankRequest& request) {
  GS_ASSIGN_OR_RETURN(const SweepRecord sweep, reader.GetSweep(id));
  GS_ASSIGN_OR_RETURN(const DatasetInfo dataset, reader.GetDataset(id));
  const Measure measure = MeasureOf(sweep.objective, sweep.training, dataset);
  GS_ASSIGN_OR_RETURN(const std::vector<CellObjectives> objectives, reader.ListObjectives(id));
  std::vector<CellResults> cells;
  if (WantsFirstOnly(request)) {
    GS_ASSIGN_OR_RETURN(cells, reader.BestResults(id, measure.goal, request.top()));
  }
  // Those without a mean stand behind, and are shown too.
  const bool only_first = request.top() > 0 && std::ssize(cells) == request.top();
  if (!only_first) {
    GS_ASSIGN_OR_RETURN(cells, reader.ListResults(id));
  }
  GS_ASSIGN_OR_RETURN(const auto levels, reader.AxisLevels(id));
  const AxisUse use = FindAxisUse(levels);
  std::vector<size_t> columns = use.varying;
  const std::vector<Standing> standings = CompareWithLeader(objectives, measure);
  std::vector<RankedRow> rows;
  if (request.by().empty()) {
    rows = RankFirstCells(std::move(cells), standings, measure);
  } else {
    GS_ASSIGN_OR_RETURN(const Axis axis, ParseAxis(request.by()));
    rows = CompareLevels(std::move(cells), measure, static_cast<size_t>(axis));
    // A row of CompareLevels keeps all labels of its best cell; only the level is a column.
    columns = {static_cast<size_t>(axis)};
  }
  if (!request.sort().empty()) {
    std::vector<std::string> axes;
    for (const Axis axis : kAllAxes) axes.emplace_back(AxisName(axis));
    GS_RETURN_IF_ERROR(SortRows(rows, request.sort(), axes, MetricName(sweep.objective.metric)));
  }
  v1::RankResponse response;
  *response.mutable_sweep() = ToProto(sweep);
  for (const size_t column : columns) response.add_axes(std::string(AxisName(kAllAxes[column])));
  for (const std::string& constant : use.constants) response.add_constants(constant);
  for (const size_t axis : use.varying) {
    for (const std::string& label : levels[axis]) response.add_all_labels(label);
  }
  response.set_total_rows(only_first ? sweep.cells : static_cast<int64_t>(rows.size()));
  if (request.top() > 0 && static_cast<size_t>(request.top()) < rows.size()) {
    rows.resize(static_cast<size_t>(request.top()));
  }
  response.set_shares_epochs(std::any_of(
      rows.begin(), rows.end(), [](const RankedRow& row) { return row.shared_epochs.value_or(0) > 0; }));
  for (const RankedRow& row : rows) *response.add_rows() = ToProto(row, columns);
  response.set_ranked_on_test(OnTest(sweep.objective.metric));
  response.set_ranked_metric(std::string(MetricName(sweep.objective.metric)));
  response.set_images(measure.images);
  CountTies(standings, response);
  return response;
}

absl::StatusOr<EffectsInput> ReadEffectsInput(StoreReader& reader, const SweepRecord& sweep) {
  EffectsInput input;
  GS_ASSIGN_OR_RETURN(const DatasetInfo dataset, reader.GetDataset(sweep.id));
  GS_ASSIGN_OR_RETURN(input.cells, reader.ListResults(sweep.id));
  GS_ASSIGN_OR_RETURN(input.levels, reader.AxisLevels(sweep.id));
  for (const Axis axis : kAllAxes) input.axes.emplace_back(AxisName(axis));
  input.metric = std::string(MetricName(sweep.objective.metric));
  input.measure = MeasureOf(sweep.objective, sweep.training, dataset);
  return input;
}

absl::StatusOr<v1::GetEffectsResponse> AnswerEffects(StoreReader& reader, SweepId id) {
  GS_ASSIGN_OR_RETURN(const SweepRecord sweep, reader.GetSweep(id));
  GS_ASSIGN_OR_RETURN(EffectsInput input, ReadEffectsInput(reader, sweep));
  const AxisUse use = FindAxisUse(input.levels);
  const Effects effects = AnalyzeEffects(std::move(input));
  v1::GetEffectsResponse response;
  *response.mutable_sweep() = ToProto(sweep);
  // The answer names only the axes that vary: position of each of the five among them.
  std::vector<int> place(kAxisCount, -1);
  for (const size_t axis : use.varying) {
    place[axis] = response.axes_size();
    response.add_axes(std::string(AxisName(kAllAxes[axis])));
    if (!effects.leader.empty()) response.add_leader(effects.leader[axis]);
  }
  for (const std::string& note : effects.notes) response.add_notes(note);
  response.set_observations(effects.observations);
  response.set_residual_df(effects.residual_df);
  response.set_residual_sum_of_squares(effects.residual_sum_of_squares);
  response.set_total_sum_of_squares(effects.total_sum_of_squares);
  for (const EffectTerm& term : effects.terms) {
    v1::EffectTerm* const added = response.add_terms();
    *added = ToProto(term);
    added->clear_axes();
    for (const int axis : term.axes) added->add_axes(place[static_cast<size_t>(axis)]);
  }
  for (const EffectLevel& level : effects.levels) {
    v1::EffectLevel* const added = response.add_levels();
    *added = ToProto(level);
    added->set_axis(place[static_cast<size_t>(level.axis)]);
  }
  return response;
}

}  // namespace gridsweep
