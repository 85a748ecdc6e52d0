// gridsweep-worker: parses flags, composes, waits.
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <initializer_list>
#include <string>
#include <thread>

#include "common/base/command_line.h"
#include "common/base/log.h"
#include "common/base/signals.h"
#include "common/base/version.h"
#include "common/rpc/channel.h"
#include "common/rpc/library_log.h"
#include "worker/worker_daemon.h"

namespace gridsweep {
namespace {

constexpr char kDescription[] =
    R"(gridsweep-worker - train the jobs of a gridsweep coordinator on this machine

Registers this machine's devices with the coordinator, starts one trainer process per
device, asks for as many jobs as there are free slots, and streams every finished epoch
back. The coordinator may be started later, restarted or unreachable for a while: the
worker goes on training, keeps what it has to report, and calls again.)";

constexpr char kFooter[] =
    R"(Signals:
  SIGTERM, SIGINT   take no more jobs, hand back what runs (it is trained again elsewhere
                    and does not count as a failure), and exit within 25 seconds.
                    A second one exits at once.

Exit status:
  0    stopped by a signal, everything handed back or reported
  1    refused by the coordinator: a newer worker of the same name has registered, or the
       versions do not fit; or the trainer refuses to start on a device
  2    bad usage, no such device, or no trainer program
  130  stopped at once by a second signal

Files:
  Data sets are looked for below every --data-dir; without one, below
  $XDG_DATA_HOME/gridsweep/data (~/.local/share/gridsweep/data) and /usr/share/datasets.
  The worker only takes jobs whose data set it has found. 'gridsweep data list' shows them.
  Checkpoints are below $XDG_STATE_HOME/gridsweep/checkpoints (~/.local/state/gridsweep/
  checkpoints); those that nobody needs are deleted after a week, or when they exceed 2 GiB.

Environment:
  GRIDSWEEP_COORDINATOR  address of the coordinator, where no --coordinator is given
  GRIDSWEEP_CA, GRIDSWEEP_TOKEN_FILE, GRIDSWEEP_CERT, GRIDSWEEP_CERT_KEY
                         likewise for --ca, --token-file, --cert and --cert-key

Examples:
  gridsweep-worker --coordinator 127.0.0.1:7077
  gridsweep-worker --coordinator 127.0.0.1:7077 --devices cuda:0,cuda:1 --slots 2
  gridsweep-worker --coordinator 127.0.0.1:7077 --devices cpu --slots 4 --data-dir /srv/data
  gridsweep-worker --coordinator node1:7077 --ca ca.pem --token-file worker.token)";

struct Flags {
  WorkerConfig config;
  double hang_timeout_seconds = 300;
  std::string log_level = "info";
  std::string log_format = "text";
};

void Declare(CLI::App& app, Flags& flags) {
  WorkerConfig& config = flags.config;
  app.footer(kFooter);
  app.add_option(
         "--coordinator", config.coordinator.address,
         "Address of the coordinator, HOST:PORT (default: $GRIDSWEEP_COORDINATOR; one of them is needed)")
      ->required()
      ->envname("GRIDSWEEP_COORDINATOR")
      ->option_text("ADDR");
  app.add_option("--ca", config.coordinator.ca_file,
                 "Encrypt, and believe the coordinator that this authority has signed (ca.pem)")
      ->envname("GRIDSWEEP_CA")
      ->option_text("FILE");
  app.add_option("--token-file", config.coordinator.token_file, "File with a worker's token")
      ->envname("GRIDSWEEP_TOKEN_FILE")
      ->option_text("FILE");
  app.add_option("--cert", config.coordinator.certificate_file,
                 "This worker's certificate, if the coordinator demands one")
      ->envname("GRIDSWEEP_CERT")
      ->option_text("FILE");
  app.add_option("--cert-key", config.coordinator.key_file, "Its key")
      ->envname("GRIDSWEEP_CERT_KEY")
      ->option_text("FILE");
  app.add_option("--name", config.name,
                 "Name to register under; of two workers with one name the newer one wins "
                 "(default: <hostname>-<8 hex digits>)")
      ->option_text("NAME");
  app.add_option("--devices", config.devices,
                 "Devices to train on: auto (every CUDA device, else the CPU), or a list such as cpu or "
                 "cuda:0,cuda:1 (default: auto)")
      ->option_text("LIST");
  app.add_option("--slots", config.slots,
                 "Jobs to train at a time on each device (default: one per core on the CPU, one on others)")
      ->check(CLI::Range(1, 1024))
      ->option_text("N");
  app.add_option("--data-dir", config.data_dirs, "Folder with data sets; may be given several times")
      ->option_text("DIR")
      ->allow_extra_args(false);
  app.add_option("--trainer", config.trainer,
                 "Trainer program (default: gridsweep-trainer beside this program)")
      ->option_text("PATH");
  app.add_option("--hang-timeout", flags.hang_timeout_seconds,
                 "Kill a trainer when a job gives no sign of life for this long (default: 300)")
      ->check(CLI::Range(1.0, 86400.0))
      ->option_text("SECONDS");
  CLI::Option* const checkpoints =
      app.add_option("--checkpoints", config.checkpoints,
                     "Folder for the trainers' checkpoints and models (default: a folder per --name below "
                     "$XDG_STATE_HOME/gridsweep/checkpoints)")
          ->option_text("DIR");
  CLI::Option* const interval =
      app.add_option("--checkpoint-interval", config.checkpoint_interval,
                     "Least time between two checkpoints of a job, 0 for one after every epoch (default: 30)")
          ->check(CLI::Range(0.0, 86400.0))
          ->option_text("SECONDS");
  app.add_flag("--no-checkpoints", config.no_checkpoints,
               "Write none: a job that is interrupted starts from its first epoch, and no weights are kept")
      ->excludes(checkpoints)
      ->excludes(interval);
  app.add_option("--log-level", flags.log_level, "debug, info, warning or error (default: info)")
      ->option_text("LEVEL");
  app.add_option("--log-format", flags.log_format,
                 "text or json, one line an event on stderr (default: text)")
      ->option_text("FORMAT");
  app.set_version_flag("--version",
                       "gridsweep-worker " + Version() + " (" + Commit() + "), gRPC " + GrpcVersion());
}

constexpr std::initializer_list<int> kStopSignals = {SIGTERM, SIGINT};

// The first signal drains; the second ends the process even if the agent cannot.
void HandleSignals(agent::WorkerAgent& worker) {
  const int signal = WaitForSignal(kStopSignals);
  Log(LogLevel::kInfo, "draining", {{"signal", signal == SIGINT ? "SIGINT" : "SIGTERM"}});
  worker.Drain();
  WaitForSignal(kStopSignals);
  worker.Abort();
  std::this_thread::sleep_for(std::chrono::seconds(1));
  _exit(kExitInterrupted);
}

absl::StatusOr<int> Run(const Flags& flags) {
  GS_ASSIGN_OR_RETURN(const LogLevel level, ParseLogLevel(flags.log_level));
  GS_ASSIGN_OR_RETURN(const LogFormat format, ParseLogFormat(flags.log_format));
  ConfigureLog(level, format);
  RouteLibraryLogs();
  GS_ASSIGN_OR_RETURN(const auto worker, StartWorkerDaemon(flags.config, &SystemClock()));
  // It ends with the process, not before: it may be waiting for a signal until then.
  std::thread(HandleSignals, std::ref(*worker)).detach();
  const absl::Status end = worker->Wait();
  int code = kExitOk;
  if (absl::IsCancelled(end)) {
    code = kExitInterrupted;
  } else if (!end.ok()) {
    Log(LogLevel::kError, "worker_refused", {{"code", CodeName(end.code())}, {"error", Message(end)}});
    code = 1;
  }
  std::fflush(nullptr);
  _exit(code);
}

int Main(int argc, char** argv) {
  Flags flags;
  CLI::App app(kDescription, "gridsweep-worker");
  Declare(app, flags);
  if (const std::optional<int> code = ParseCommandLine(app, argc, argv)) return *code;
  flags.config.hang_timeout = absl::Seconds(flags.hang_timeout_seconds);
  BlockSignals(kStopSignals);
  const absl::StatusOr<int> code = Run(flags);
  if (code.ok()) return *code;
  std::fprintf(stderr, "gridsweep-worker: %s\n", Message(code.status()).c_str());
  return kExitUsage;
}

}  // namespace
}  // namespace gridsweep

int main(int argc, char** argv) {
  try {
    return gridsweep::Main(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gridsweep-worker: %s\n", error.what());
    return 70;
  }
}
