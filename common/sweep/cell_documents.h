// The canonical documents of a sweep's cells, put together from each axis value's text, which is made once: a large sweep
// has few values and many cells.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "common/sweep/sweep_spec.h"

namespace gridsweep {

// Thread-safe after construction.
class CellDocuments {
 public:
  using Position = std::array<size_t, kAxisCount>;  // on each axis, see Grid

  explicit CellDocuments(const SweepSpec& spec);

  // CellKey of the cell's jobs.
  std::string Key(const Position& cell) const;
  // JobSpecToJson of the cell's jobs without seed and data set digest.
  std::string Params(const Position& cell) const;

 private:
  std::string Compose(const Position& cell, const std::string& objective) const;

  std::array<std::vector<std::string>, kAxisCount> values_;
  std::string dataset_, objective_, training_;  // members with their names
};

}  // namespace gridsweep
