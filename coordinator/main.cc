#include <unistd.h>

#include <csignal>
#include <iostream>
#include <thread>

#include "absl/synchronization/mutex.h"
#include "common/base/command_line.h"
#include "common/base/file_limit.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/signals.h"
#include "common/base/version.h"
#include "common/rpc/channel.h"
#include "common/rpc/library_log.h"
#include "coordinator/allocator.h"
#include "coordinator/coordinator_server.h"
#include "coordinator/security_commands.h"
#include "coordinator/store/store_reader.h"

namespace gridsweep {
namespace {

constexpr int kExitBroken = 70;

constexpr char kDescription[] =
    "Keeps the sweeps: expands sweep files into jobs, leases them to workers, stores every epoch in one "
    "SQLite file and "
    "ranks the results.\n\n"
    "Workers connect to it with gridsweep-worker --coordinator ADDR, people with gridsweep --coordinator "
    "ADDR. It can be "
    "stopped or killed at any time and started again on the same file: nothing stored is lost, workers that "
    "train go on.";

constexpr char kFooter[] =
    "When it listens it prints one line of JSON on stdout: {\"address\":\"127.0.0.1:7077\"}; with --metrics also "
    "\"metrics\", with --http \"live_view\". Logs go to stderr.\n\n"
    "Signals:\n"
    "  SIGTERM, SIGINT   finish the calls in flight, commit, exit 0; again: exit at once (nothing committed "
    "is lost)\n\n"
    "Exit codes:\n"
    "  0  stopped by a signal\n"
    "  1  the database cannot be opened or the address not be bound; the message says why\n"
    "  2  bad usage\n"
    "  70 the disk failed to store: start it again, it goes on from what is stored\n\n"
    "Example:\n"
    "  gridsweep-coordinator --db sweeps.db --listen 127.0.0.1:7077\n"
    "  gridsweep-coordinator init security --host sweeps.example.org\n"
    "  gridsweep-coordinator --db sweeps.db --listen 0.0.0.0:7077 --security security";

struct Flags {
  CoordinatorConfig config;
  double lease_seconds = 30;
  std::string log_level = "info";
  std::string log_format = "text";
};

absl::Status Serve(Flags& flags) {
  GS_ASSIGN_OR_RETURN(const LogLevel level, ParseLogLevel(flags.log_level));
  GS_ASSIGN_OR_RETURN(const LogFormat format, ParseLogFormat(flags.log_format));
  ConfigureLog(level, format);
  RouteLibraryLogs();
  // Debian's abseil looks for deadlocks whenever gRPC takes a lock, which helps those who change gRPC.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  const int64_t files = RaiseFileLimit();
  flags.config.queue.lease = absl::Seconds(flags.lease_seconds);
  flags.config.on_broken = [](const WriteTrouble& trouble) {
    // Not in order: a checkpoint could write down what the kernel has half forgotten. The next start reads the log.
    Log(LogLevel::kError, "coordinator_broken", {{"error", trouble.error}, {"exit", kExitBroken}});
    _exit(kExitBroken);
  };
  GS_ASSIGN_OR_RETURN(const auto server,
                      CoordinatorServer::Start(flags.config, SystemClock(), Catalog::Builtin()));
  Log(LogLevel::kInfo, "coordinator_listening",
      {{"address", server->address()},
       LogField::IfAny("metrics", server->metrics_address()),
       LogField::IfAny("live_view", server->live_url()),
       {"database", flags.config.database},
       {"files", files},
       {"version", Version()}});
  Json announcement = {{"address", server->address()}};
  if (!server->metrics_address().empty()) announcement["metrics"] = server->metrics_address();
  if (!server->live_url().empty()) announcement["live_view"] = server->live_url();
  std::cout << announcement.dump() << std::endl;

  const int signal = WaitForSignal({SIGTERM, SIGINT});
  Log(LogLevel::kInfo, "coordinator_stopping", {{"signal", strsignal(signal)}});
  std::thread([] {
    WaitForSignal({SIGTERM, SIGINT});
    _exit(kExitFailedJobs);
  }).detach();
  server->Shutdown();
  Log(LogLevel::kInfo, "coordinator_stopped");
  return absl::OkStatus();
}

int Main(int argc, char** argv) {
  BlockSignals({SIGTERM, SIGINT});
  Flags flags;
  CLI::App app(kDescription, "gridsweep-coordinator");
  app.footer(kFooter);
  SecurityCommands security;
  security.Declare(app);
  app.require_subcommand(0, 1);
  CLI::Option* const database =
      app.add_option("--db", flags.config.database, "The SQLite file; created if it does not exist");
  app.add_option("--listen", flags.config.listen,
                 "Address to listen on, HOST:PORT; port 0 takes any free one")
      ->capture_default_str();
  app.add_flag("--read-only", flags.config.read_only, "Serve an existing file to readers and change nothing");
  CLI::Option* const directory =
      app.add_option(
             "--security", flags.config.security,
             "Encrypt, and let in who has a token or certificate of this directory, made by the subcommand init. "
             "Needed to listen beyond loopback")
          ->type_name("DIR");
  app.add_flag("--client-certificates", flags.config.client_certificates,
               "With --security: demand a certificate of every client (mutual TLS)")
      ->needs(directory);
  app.add_option(
         "--metrics", flags.config.metrics,
         "Address of this machine, HOST:PORT, for Prometheus: GET /metrics, and /healthz for health checks. Off by "
         "default")
      ->type_name("ADDR");
  app.add_option(
         "--http", flags.config.http,
         "Address for the live view, HOST:PORT: a page that shows the sweeps as they run. Of this machine, unless "
         "--security gives TLS and tokens. Off by default")
      ->type_name("ADDR");
  app.add_flag("--allow-insecure", flags.config.allow_insecure,
               "Listen beyond loopback without encryption or tokens: only on a network you trust");
  app.add_option("--lease", flags.lease_seconds,
                 "Seconds a worker may be silent before its jobs are given to others")
      ->check(CLI::Range(0.1, 86'400.0))
      ->capture_default_str();
  app.add_option("--max-jobs", flags.config.limits.max_jobs, "Most jobs one sweep may have")
      ->check(CLI::Range(int64_t{1}, kMostJobs))
      ->capture_default_str();
  app.add_option(
         "--max-connections", flags.config.max_connections,
         "Most connections at once, and never more than the files that the system allows; further ones wait")
      ->check(CLI::Range(int64_t{1}, int64_t{1'000'000}))
      ->capture_default_str();
  app.add_option("--artifacts-limit", flags.config.artifacts_limit,
                 "Most bytes of checkpoints and models, which are kept in the folder DB.artifacts; e.g. 4GiB")
      ->transform(CLI::AsSizeValue(false))
      ->default_str("4GiB");
  app.add_flag("!--no-share", flags.config.queue.share,
               "Lease every job alone, also those that have epochs in common. The numbers are the same");
  app.add_option("--log-level", flags.log_level, "debug, info, warning or error")->capture_default_str();
  app.add_option("--log-format", flags.log_format, "text (key=value) or json, one line an event")
      ->capture_default_str();
  app.set_version_flag("--version",
                       fmt::format("gridsweep-coordinator {}\ncommit {}\ngRPC {}\nSQLite {}\nallocator {}",
                                   Version(), Commit(), GrpcVersion(), SqliteVersion(), AllocatorName()));
  if (const auto exit_code = ParseCommandLine(app, argc, argv)) return *exit_code;
  if (!security.Chosen() && database->count() == 0) {
    std::cerr << "gridsweep-coordinator: --db is required; see gridsweep-coordinator --help" << std::endl;
    return kExitUsage;
  }
  const absl::Status status = security.Chosen() ? security.Run(SystemClock().Now().wall) : Serve(flags);
  if (status.ok()) return kExitOk;
  std::cerr << "gridsweep-coordinator: " << Message(status) << std::endl;
  return absl::IsInvalidArgument(status) ? kExitUsage : 1;
}

}  // namespace
}  // namespace gridsweep

int main(int argc, char** argv) {
  return gridsweep::Main(argc, argv);
}
