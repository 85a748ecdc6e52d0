// The ranked table: what is best, by how much, under which conditions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/results/ranking.h"
#include "common/results/table_formats.h"

namespace gridsweep {

struct RankedTable {
  int64_t sweep = 0;
  std::string sweep_name;
  std::string sweep_state;  // "active", "paused", "cancelled", "finished"
  std::string dataset;
  std::string metric;           // what is ranked: "val_accuracy"
  std::string goal;             // "max", "min"
  std::string epoch;            // "best", "last"
  bool ranked_on_test = false;  // by the test set's own figures
  double validation = 0;
  int64_t seeds = 0;
  int64_t epochs = 0;
  int64_t cells = 0;
  StateCounts jobs;
  std::vector<std::string> axes;       // that vary, one label of each row per axis
  std::vector<std::string> constants;  // "optimizer = adam"
  std::vector<RankedRow> rows;
  // Every label of the axes that vary within the sweep, also of rows that --top left out.
  std::vector<std::string> all_labels;
  int64_t total_rows = 0;      // before --top
  bool by_level = false;       // rows are levels of the one axis
  int64_t images = 0;          // the metric is a share of so many; 0 if it is none
  int64_t ranked_cells = 0;    // that have a result
  int64_t tied_cells = 0;      // that share rank 1, the leader among them
  int64_t compared_cells = 0;  // whose difference from the leader was tested
  bool shares_epochs = false;  // some epochs were trained once for several jobs
};

struct RankOptions {
  // Leave out what differs between two runs of one sweep: times and ids. Equal results then give equal bytes.
  bool no_times = false;
};

// The table alone, e.g. for CSV.
Table BuildRankTable(const RankedTable& ranked, const RankOptions& options);

// The table with its caption: what was ranked, on which data, over how many seeds, and what is constant. CSV
// has no caption; JSON is one object with "sweep", "axes", "constants" and "rows".
std::string RenderRank(const RankedTable& ranked, OutputFormat format, const Screen& screen,
                       const RankOptions& options);

}  // namespace gridsweep
