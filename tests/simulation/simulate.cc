// Runs as many seeds of the simulation as asked for, or one in detail.
#include <cstdio>

#include "common/base/command_line.h"
#include "common/base/log.h"
#include "tests/simulation/simulation.h"
#include "tests/support/temp_dir.h"

namespace gridsweep {
namespace {

int Main(int argc, char** argv) {
  CLI::App app("Simulates a coordinator and its workers under faults, a seed a run", "simulate");
  uint64_t seed = 0, first = 1, seeds = 1000;
  CLI::Option* const one = app.add_option("--seed", seed, "Only this one, with the story of its faults");
  app.add_option("--first", first)->capture_default_str();
  app.add_option("--seeds", seeds, "How many")->capture_default_str();
  if (const auto exit_code = ParseCommandLine(app, argc, argv)) return *exit_code;
  ConfigureLog(one->count() > 0 ? LogLevel::kWarning : LogLevel::kError, LogFormat::kText);
  if (one->count() > 0) first = seed, seeds = 1;

  const TempDir calm_directory;
  const std::string expected = Simulate(0, calm_directory.path()).ranking;
  int64_t faults = 0, lives = 0, attempts = 0, resumes = 0, files = 0, models = 0, forgeries = 0;
  double hours = 0;
  int failed = 0;
  for (uint64_t i = first; i < first + seeds; ++i) {
    TempDir directory;
    const SimulationResult result = Simulate(i, directory.path());
    faults += result.faults;
    lives += result.coordinator_lives;
    attempts += result.attempts;
    resumes += result.resumes;
    files += result.files;
    models += result.models;
    forgeries += result.forgeries;
    hours += result.virtual_seconds / 3600;
    const bool wrong_table = result.ranking != expected;
    if (one->count() > 0) fmt::print("seed {}:{}\n", i, result.story);
    if (result.violations.empty() && !wrong_table) continue;
    ++failed;
    directory.Keep();
    fmt::print("seed {} FAILED, its database is in {}\n", i, directory.path());
    for (const std::string& violation : result.violations) fmt::print("  {}\n", violation);
    if (wrong_table) fmt::print("  the results are not those without faults\n");
    std::fflush(stdout);
  }
  fmt::print(
      "{} seeds, {} failed: {} faults, {} starts of the coordinator, {} attempts, {:.0f} hours of their time\n"
      "{} files recorded, {} attempts went on from one, {} models kept, {} forgeries\n",
      seeds, failed, faults, lives, attempts, hours, files, resumes, models, forgeries);
  return failed == 0 ? kExitOk : kExitFailedJobs;
}

}  // namespace
}  // namespace gridsweep

int main(int argc, char** argv) {
  return gridsweep::Main(argc, argv);
}
