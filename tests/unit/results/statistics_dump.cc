// Prints the statistics of a sweep given as JSON on stdin, for statistics_check.py to compare with SciPy and statsmodels.
//
// In: {"goal": "max", "images": 0, "metric": "val_loss", "axes": [name…], "levels": [[label…]…],
//      "cells": [{"labels": [label…], "jobs": [[seed, value or "diverged" or "failed"]…]}…]}
// Out: {"rows": […], "effects": {…}}, null for what does not exist.
#include <iostream>

#include "common/base/json.h"
#include "common/results/effects.h"
#include "common/results/ranking.h"

namespace gridsweep {
namespace {

Json Number(const std::optional<double>& value) {
  return value ? Json(*value) : Json();
}

CellResults ReadCell(const Json& json, int64_t ordinal) {
  CellResults cell{.cell = ordinal + 1, .ordinal = ordinal, .labels = json.at("labels"), .jobs = {}};
  for (const Json& entry : json.at("jobs")) {
    JobResult job{.job = 100 * ordinal + std::ssize(cell.jobs), .seed = entry.at(0)};
    if (entry.at(1).is_number()) {
      job.state = JobState::kSucceeded;
      job.objective = entry.at(1).get<double>();
    } else {
      job.state = entry.at(1) == "diverged" ? JobState::kDiverged : JobState::kFailed;
    }
    cell.jobs.push_back(job);
  }
  return cell;
}

Json DifferenceToJson(const std::optional<Difference>& difference) {
  if (!difference) return nullptr;
  return {{"evidence", std::string(EvidenceName(difference->evidence))},
          {"n", difference->n},
          {"mean", difference->mean},
          {"ci", Number(difference->ci)},
          {"p", Number(difference->p)}};
}

Json RowToJson(const RankedRow& row) {
  return {{"cell", row.cell},
          {"rank", row.rank},
          {"tied", row.tied},
          {"n", row.n},
          {"mean", Number(row.mean)},
          {"sd", Number(row.sd)},
          {"ci", Number(row.ci)},
          {"evidence", std::string(EvidenceName(row.evidence))},
          {"behind", DifferenceToJson(row.behind)},
          {"best", Number(row.best_probability)}};
}

Json EffectsToJson(const Effects& effects) {
  Json terms = Json::array();
  for (const EffectTerm& term : effects.terms) {
    terms.push_back({{"name", term.name},
                     {"df", term.df},
                     {"sum_of_squares", term.sum_of_squares},
                     {"share", term.share},
                     {"f", Number(term.f)},
                     {"p", Number(term.p)}});
  }
  Json levels = Json::array();
  for (const EffectLevel& level : effects.levels) {
    levels.push_back({{"axis", level.axis},
                      {"level", level.level},
                      {"cells", level.cells},
                      {"results", level.results},
                      {"diverged", level.diverged},
                      {"failed", level.failed},
                      {"mean", Number(level.mean)},
                      {"ci", Number(level.ci)},
                      {"cost", DifferenceToJson(level.cost)}});
  }
  return {{"notes", effects.notes},
          {"observations", effects.observations},
          {"residual_df", effects.residual_df},
          {"residual_sum_of_squares", effects.residual_sum_of_squares},
          {"total_sum_of_squares", effects.total_sum_of_squares},
          {"terms", terms},
          {"levels", levels}};
}

void Run() {
  const Json sweep = Json::parse(std::cin);
  EffectsInput input{.axes = sweep.at("axes"), .levels = sweep.at("levels"), .metric = sweep.at("metric")};
  input.measure = {.goal = sweep.at("goal") == "max" ? Goal::kMax : Goal::kMin, .images = sweep.at("images")};
  for (const Json& cell : sweep.at("cells")) input.cells.push_back(ReadCell(cell, std::ssize(input.cells)));
  Json rows = Json::array();
  for (const RankedRow& row : RankCells(input.cells, input.measure)) rows.push_back(RowToJson(row));
  std::cout << Json{{"rows", rows}, {"effects", EffectsToJson(AnalyzeEffects(input))}}.dump() << "\n";
}

}  // namespace
}  // namespace gridsweep

int main() {
  gridsweep::Run();
  return 0;
}
