#include "cli/local_run_flags.h"

namespace gridsweep {

void LocalRunFlags::Declare(CLI::App& app) {
  app.add_option("--workers", workers, "Worker processes to start. Default: 1")
      ->check(CLI::Range(1, 64))
      ->option_text("N");
  app.add_option("--slots", slots, "Jobs each device trains at a time. Default: one per core on a CPU")
      ->check(CLI::Range(1, 1024))
      ->option_text("N");
  app.add_option("--devices", devices, "auto, cpu, or a list like cuda:0,cuda:1. Default: auto")
      ->type_name("LIST");
  app.add_option("--data-dir", data_dirs, "Folder to look for data sets in; may be repeated")
      ->type_name("DIR")
      ->allow_extra_args(false);
  app.add_option("--trainer", trainer, "Trainer program. Default: gridsweep-trainer beside this program")
      ->type_name("PATH");
  app.add_flag("--no-share", no_share,
               "Train every job alone, also epochs that jobs have in common. The numbers are the same");
}

LocalClusterSpec LocalRunFlags::Spec(const std::string& program_dir, const std::string& db) const {
  std::vector<std::string> flags = {"--checkpoints", CheckpointsBeside(db)};
  if (slots > 0) flags.insert(flags.end(), {"--slots", std::to_string(slots)});
  if (!devices.empty()) flags.insert(flags.end(), {"--devices", devices});
  if (!trainer.empty()) flags.insert(flags.end(), {"--trainer", trainer});
  for (const std::string& dir : data_dirs) flags.insert(flags.end(), {"--data-dir", dir});
  return {
      .program_dir = program_dir, .db = db, .share = !no_share, .workers = workers, .worker_flags = flags};
}

std::string CheckpointsBeside(const std::string& db) {
  return db + ".checkpoints";
}

}  // namespace gridsweep
