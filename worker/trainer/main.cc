// gridsweep-trainer: jobs in, events out, one JSON object a line. See docs/trainer-protocol.md.
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>

#include "common/base/command_line.h"
#include "common/base/version.h"
#include "worker/trainer/blas.h"
#include "worker/trainer/event_listener.h"
#include "worker/trainer/job_runner.h"
#include "worker/trainer/process_setup.h"
#include "worker/trainer/slot_pool.h"

namespace gridsweep {
namespace {

constexpr const char* kDescription =
    "Trains neural networks with LibTorch: reads jobs from standard input and writes events to standard "
    "output, one JSON\n"
    "object a line (docs/trainer-protocol.md). gridsweep-worker starts one per device; --job runs a single "
    "job by hand.";

constexpr const char* kFooter =
    "Examples:\n"
    "  gridsweep-trainer --job job.json                 train one job here and print its events\n"
    "  gridsweep-trainer --device cuda:0 --slots 4      serve commands on a GPU, four jobs at a time\n"
    "  gridsweep-trainer --list-devices                 what can be trained on here\n\n"
    "A CPU job uses one thread; use as many slots as there are cores. Jobs on one device share the data in "
    "memory.\n"
    "Numbers depend on the job's parameters, data and seed, never on the slot or the neighbours.\n\n"
    "Exit codes:\n"
    "  0    done: end of input, or the job succeeded or diverged\n"
    "  1    the job of --job failed\n"
    "  2    bad flag or job file\n"
    "  70   the device broke; start a new process\n";

struct Flags {
  std::string device = "cpu";
  std::string kernels = "auto";
  int slots = 1;
  std::string checkpoints;
  double checkpoint_interval = 30;
  std::vector<std::string> data_dirs;
  std::string job_file;
  bool dump_catalog = false;
  bool list_devices = false;
};

int Fail(const absl::Status& status) {
  std::cerr << "gridsweep-trainer: " << Message(status) << "\n";
  return kExitUsage;
}

// Our events keep the real stdout to themselves: whatever a library prints goes to stderr.
int TakeStdout() {
  std::fflush(stdout);
  const int events = dup(STDOUT_FILENO);
  dup2(STDERR_FILENO, STDOUT_FILENO);
  return events;
}

absl::StatusOr<Json> ReadJobFile(const std::string& path) {
  std::ostringstream text;
  if (path == "-") {
    text << std::cin.rdbuf();
  } else {
    std::ifstream in(path, std::ios::binary);
    if (!in) return ErrnoError(errno, fmt::format("cannot open '{}'", path));
    text << in.rdbuf();
  }
  absl::StatusOr<Json> job = ParseJson(text.str());
  if (!job.ok()) return Annotate(job.status(), path);
  return job;
}

// Remembers how its job ended.
class OneJobListener : public EventListener {
 public:
  using EventListener::EventListener;
  void Ended(const absl::StatusOr<JobOutcome>& outcome) override {
    error_ = outcome.status();
    EventListener::Ended(outcome);
  }
  const absl::Status& error() const { return error_; }

 private:
  absl::Status error_;
};

// --job: one job on this thread.
int RunOneJob(const Json& job, const TrainerIdentity& identity, const RunJobsFunction& run,
              LineWriter& writer) {
  ConfigureTrainingThread();
  const std::atomic<bool> stopped = false;
  OneJobListener listener(writer, identity, 0, &stopped);
  const absl::Status status = run({{job, &listener, {}}});
  const absl::Status& error = status.ok() ? listener.error() : status;
  if (error.ok()) return kExitOk;
  std::cerr << "gridsweep-trainer: " << Message(error) << "\n";
  return kExitFailedJobs;
}

// The filter: commands until end of file.
int Serve(const TrainerIdentity& identity, const RunJobsFunction& run, LineWriter& writer) {
  // A terminal's Ctrl-C reaches the whole process group; the worker decides what becomes of the jobs.
  std::signal(SIGINT, SIG_IGN);
  SlotPool pool(identity, run, ConfigureTrainingThread, writer);
  for (std::string line; std::getline(std::cin, line);) {
    if (line.empty()) continue;
    absl::StatusOr<TrainerCommand> command = ParseTrainerCommand(line);
    absl::Status status = command.status();
    if (command.ok()) {
      if (auto* start = std::get_if<RunCommand>(&*command)) {
        status = pool.Run(std::move(*start));
      } else {
        pool.Stop(std::get<StopCommand>(*command));
      }
    }
    if (!status.ok()) writer.Write(ErrorEvent(Message(status)));
  }
  return kExitOk;
}

int Train(const Flags& flags, const Registry& registry) {
  std::signal(SIGPIPE, SIG_IGN);
  absl::StatusOr<DeviceInfo> device = FindDevice(flags.device);
  if (!device.ok()) return Fail(device.status());
  const absl::StatusOr<Kernels> kernels = ChooseKernels(flags.device, flags.kernels);
  if (!kernels.ok()) return Fail(kernels.status());
  Json job;
  if (!flags.job_file.empty()) {
    absl::StatusOr<Json> read = ReadJobFile(flags.job_file);
    if (!read.ok()) return Fail(read.status());
    job = *std::move(read);
  }
  CheckpointSettings checkpoints;
  if (!flags.checkpoints.empty()) {
    absl::StatusOr<CheckpointFolder> folder = CheckpointFolder::Open(flags.checkpoints);
    if (!folder.ok()) return Fail(folder.status());
    checkpoints.folder = *std::move(folder);
    checkpoints.interval_seconds = flags.checkpoint_interval;
  }
  // Nobody reads any more: the worker is gone. Quietly, and at once, since jobs must not outlive it.
  LineWriter writer(TakeStdout(), [] { std::_Exit(kExitOk); });
  ConfigureTorch();
  UseOneBlasThread();
  const Blas blas = DetectBlas();
  if (blas.reference && flags.device == "cpu") {
    std::cerr << "gridsweep-trainer: WARNING: LibTorch runs on the reference BLAS, up to 25 times slower "
                 "than it could;\n"
                 "gridsweep-trainer: WARNING: run: apt-get install libopenblas0\n";
  }
  const TrainerIdentity identity{*device, LibTorchVersion(), blas.name, std::string(KernelsName(*kernels)),
                                 flags.slots};
  DatasetCache datasets(flags.data_dirs.empty() ? DefaultDataDirs() : flags.data_dirs,
                        at::Device(flags.device));
  checkpoints.environment = identity.Environment();
  JobRunner runner(registry, datasets, at::Device(flags.device), *kernels, checkpoints);
  const RunJobsFunction run = [&](const std::vector<JobTask>& tasks) { return runner.Run(tasks); };
  writer.Write(HelloEvent(identity));
  return flags.job_file.empty() ? Serve(identity, run, writer) : RunOneJob(job, identity, run, writer);
}

int Main(int argc, char** argv) {
  CLI::App app(kDescription, "gridsweep-trainer");
  app.footer(kFooter);
  Flags flags;
  app.add_option("--device", flags.device, "device to train on: cpu or cuda:N")
      ->type_name("NAME")
      ->capture_default_str();
  app.add_option(
         "--kernels", flags.kernels,
         "auto, tuned (what auto takes on CPUs) or plain (on GPUs): formulations of the same mathematics; "
         "results agree to rounding")
      ->type_name("NAME")
      ->envname("GRIDSWEEP_KERNELS")
      ->capture_default_str();
  app.add_option("--slots", flags.slots, "jobs trained at the same time")
      ->type_name("N")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_option("--data-dir", flags.data_dirs,
                 "folder with data sets, may be repeated; default: the user's data home, /usr/share/datasets")
      ->type_name("DIR")
      ->allow_extra_args(false);
  app.add_option(
         "--checkpoints", flags.checkpoints,
         "folder to write checkpoints and models to, and to go on from; without it neither is written")
      ->type_name("DIR");
  app.add_option("--checkpoint-interval", flags.checkpoint_interval,
                 "least time between two checkpoints of a job; 0: one after every epoch but the last")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  app.add_option("--job", flags.job_file, "train the job of this JSON file ('-': standard input), then exit")
      ->type_name("FILE");
  app.add_flag("--list-devices", flags.list_devices, "print the devices, one JSON object a line, and exit");
  app.add_flag("--dump-catalog", flags.dump_catalog, "print the component catalog and exit");
  app.set_version_flag("--version", fmt::format("gridsweep-trainer {} ({}), LibTorch {}", Version(), Commit(),
                                                LibTorchVersion()));
  if (const auto exit_code = ParseCommandLine(app, argc, argv)) return *exit_code;

  const Registry registry = MakeRegistry();
  if (flags.dump_catalog) {
    std::cout << registry.MakeCatalog().ToJson() << std::flush;
    return kExitOk;
  }
  if (flags.list_devices) {
    for (const DeviceInfo& device : ListDevices()) std::cout << DeviceJson(device).dump() << "\n";
    std::cout << std::flush;
    return kExitOk;
  }
  return Train(flags, registry);
}

}  // namespace
}  // namespace gridsweep

int main(int argc, char** argv) {
  gridsweep::PrepareProcess();
  try {
    return gridsweep::Main(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "gridsweep-trainer: " << error.what() << "\n";
    return gridsweep::kExitFailedJobs;
  }
}
