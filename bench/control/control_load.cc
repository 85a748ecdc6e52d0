// Loads a coordinator with simulated workers and says, once a second and at the end, what it stored and how fast it
// answered. See bench/README.md.
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>

#include "absl/time/clock.h"
#include "bench/control/worker_fleet.h"
#include "common/base/clock.h"
#include "common/base/command_line.h"
#include "common/base/json.h"
#include "common/base/status.h"

namespace gridsweep::bench {
namespace {

struct Flags {
  FleetOptions fleet;
  int64_t epoch_ms = 400;
  double warm_up = 0;
  double seconds = 20;
  int64_t until_jobs = 0;
  bool until_connected = false;
};

// A connection each, and some for the program itself.
void RaiseFileLimit() {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

double Percentile(std::vector<float>& sorted, double share) {
  if (sorted.empty()) return 0;
  const auto last = static_cast<double>(sorted.size() - 1);
  return static_cast<double>(sorted[static_cast<size_t>(share * last)]);
}

Json Summary(FleetReport& report, double seconds) {
  std::sort(report.sync_ms.begin(), report.sync_ms.end());
  return {{"seconds", seconds},
          {"epochs", report.epochs_stored},
          {"jobs", report.jobs_done},
          {"epochs_per_second", static_cast<double>(report.epochs_stored) / seconds},
          {"jobs_per_second", static_cast<double>(report.jobs_done) / seconds},
          {"reports", report.reports},
          {"syncs", report.sync_ms.size()},
          {"sync_ms_p50", Percentile(report.sync_ms, 0.5)},
          {"sync_ms_p99", Percentile(report.sync_ms, 0.99)},
          {"sync_ms_max", Percentile(report.sync_ms, 1)},
          {"failed_calls", report.failed_calls},
          {"connected", report.connected},
          {"error", report.last_error}};
}

void Add(FleetReport& total, const FleetReport& more) {
  total.epochs_stored += more.epochs_stored;
  total.jobs_done += more.jobs_done;
  total.reports += more.reports;
  total.failed_calls += more.failed_calls;
  if (!more.last_error.empty()) total.last_error = more.last_error;
  total.sync_ms.insert(total.sync_ms.end(), more.sync_ms.begin(), more.sync_ms.end());
  total.connected = more.connected;
}

int Main(int argc, char** argv) {
  CLI::App app("Loads a coordinator with simulated workers", "control_load");
  Flags flags;
  app.add_option("--coordinator", flags.fleet.coordinator, "host:port")->required();
  app.add_option("--dataset", flags.fleet.dataset, "Name of the data set that the workers claim to have")
      ->required();
  app.add_option("--workers", flags.fleet.workers)->check(CLI::Range(1, 100000))->capture_default_str();
  app.add_option("--slots", flags.fleet.slots, "Of each worker")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_option("--epochs", flags.fleet.epochs, "Of each job, as in the sweep file")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  app.add_option("--epoch-ms", flags.epoch_ms, "How long an epoch takes")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  app.add_option("--warm-up", flags.warm_up, "Seconds before those that count")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  app.add_option("--seconds", flags.seconds, "Ends after this long")
      ->check(CLI::Range(0.1, 1e6))
      ->capture_default_str();
  app.add_option("--until-jobs", flags.until_jobs, "Ends when so many jobs are done");
  app.add_flag("--until-connected", flags.until_connected, "Ends when every worker has been answered");
  if (const auto exit_code = ParseCommandLine(app, argc, argv)) return *exit_code;
  flags.fleet.epoch = absl::Milliseconds(flags.epoch_ms);

  RaiseFileLimit();
  WorkerFleet fleet(flags.fleet);
  absl::Duration begin = SystemClock().Now().monotonic;
  absl::Duration last = begin;
  bool counts = flags.warm_up == 0;
  int64_t jobs_so_far = 0;
  FleetReport total;
  while (true) {
    absl::SleepFor(absl::Seconds(1));
    const absl::Duration now = SystemClock().Now().monotonic;
    FleetReport report = fleet.Take();
    Add(total, report);
    jobs_so_far += report.jobs_done;
    Json line = Summary(report, absl::ToDoubleSeconds(now - last));
    line["jobs_so_far"] = jobs_so_far;
    fmt::print(stderr, "{}\n", line.dump());
    last = now;
    if (!counts && now - begin >= absl::Seconds(flags.warm_up)) {
      total = {};
      begin = now;
      counts = true;
      continue;
    }
    if (now - begin >= absl::Seconds(flags.seconds)) break;
    if (flags.until_jobs > 0 && jobs_so_far >= flags.until_jobs) break;
    if (flags.until_connected && report.connected == flags.fleet.workers) break;
  }
  fmt::print("{}\n", Summary(total, absl::ToDoubleSeconds(last - begin)).dump());
  return kExitOk;
}

}  // namespace
}  // namespace gridsweep::bench

int main(int argc, char** argv) {
  return gridsweep::bench::Main(argc, argv);
}
