// What a sweep file asks for, before anything runs: the text and document of `gridsweep plan`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/json.h"
#include "common/catalog/catalog.h"
#include "common/sweep/grid.h"
#include "common/sweep/sweep_spec.h"

namespace gridsweep {

struct PlanOptions {
  int64_t max_cells = 20;  // cells that are listed one by one
  size_t width = 80;       // columns of the text; lines of the cell list are cut off there
  bool share = true;       // jobs that differ only in the scheduler train their common epochs once
};

// The cells that are not excluded, in order. Borrows all three arguments.
class CellLister {
 public:
  struct Cell {
    int64_t index = 0;                // of the combination, see Grid
    std::vector<std::string> labels;  // one per axis, in axis order
  };

  CellLister(const SweepSpec& spec, const Grid& grid, const Catalog& catalog);
  // The next cell, nullopt after the last one.
  std::optional<Cell> Next();

 private:
  const Grid& grid_;
  std::array<std::vector<std::string>, kAxisCount> labels_;
  int64_t next_ = 0;
};

// Settings, axes with their values, exclusions with what each removes, the sum of cells, jobs and epochs, how many
// of these are to be trained, and the first cells. Ends in a newline.
std::string RenderPlan(const SweepSpec& spec, const Grid& grid, const Catalog& catalog,
                       const PlanOptions& options = {});

// The same with stable keys, for --format json.
Json PlanToJson(const SweepSpec& spec, const Grid& grid, const Catalog& catalog,
                const PlanOptions& options = {});

}  // namespace gridsweep
