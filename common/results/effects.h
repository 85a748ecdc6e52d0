// Which choice matters: what each axis contributes, and what it costs to choose otherwise. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/results/difference.h"
#include "common/results/ranking.h"

namespace gridsweep {

// A sweep whose cells are compared.
struct EffectsInput {
  std::vector<CellResults> cells;
  std::vector<std::string> axes;                 // names, one per label of a cell
  std::vector<std::vector<std::string>> levels;  // per axis, in the grid's order
  std::string metric;                            // the objective's name, for the sentences
  Measure measure;
};

struct EffectTerm {
  std::string name;       // "optimizer", "model × activation", "seed"
  std::vector<int> axes;  // one, two for an interaction, none for the seed
  int64_t df = 0;
  double sum_of_squares = 0;
  double share = 0;  // of the total sum of squares
  std::optional<double> f;
  std::optional<double> p;
};

struct EffectLevel {
  int axis = 0;
  std::string level;
  int64_t cells = 0;
  int64_t results = 0;  // jobs that count
  int64_t diverged = 0;
  int64_t failed = 0;
  std::optional<double> mean;  // marginal mean, see AnalyzeVariance
  std::optional<double> ci;    // half width, 95 %
  bool of_leader = false;
  // The leader minus the cell that differs from it in this level alone, p adjusted (Holm) for all of the leader's
  // alternatives; absent for the leader's own levels and where that cell has no result.
  std::optional<Difference> cost;
};

struct Effects {
  std::vector<std::string>
      notes;  // plain sentences: what was analysed, what was left out, why there is nothing
  int64_t observations = 0;
  int64_t residual_df = 0;
  double residual_sum_of_squares = 0;
  double total_sum_of_squares = 0;
  std::vector<EffectTerm>
      terms;  // of the axes that vary, then the seed, then interactions; empty if there is nothing to analyse
  std::vector<EffectLevel> levels;  // of the axes that vary, in the grid's order
  std::vector<std::string> leader;  // its labels, one per axis; empty without a result
};

// Analysis of variance of all jobs with a finite objective. With several seeds the seed is a block: what all cells have in
// common under one seed is no noise. Cells without a result are left out and counted.
Effects AnalyzeEffects(EffectsInput input);

}  // namespace gridsweep
