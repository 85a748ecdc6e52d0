// Flags of commands that train on this machine.
#pragma once

#include <string>
#include <vector>

#include "cli/local_cluster.h"
#include "common/base/command_line.h"

namespace gridsweep {

struct LocalRunFlags {
  int workers = 1;
  int slots = 0;  // 0: the worker's default
  std::string devices;
  std::vector<std::string> data_dirs;
  std::string trainer;
  bool no_share = false;

  void Declare(CLI::App& app);
  // The coordinator and workers that they ask for, on `db`. `program_dir`: where the programs are.
  LocalClusterSpec Spec(const std::string& program_dir, const std::string& db) const;
};

// Where the workers of a local run keep their checkpoints, which are of no use when its sweep is over.
std::string CheckpointsBeside(const std::string& db);

}  // namespace gridsweep
