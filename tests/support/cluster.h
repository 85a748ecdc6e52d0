// A coordinator, workers with the fake trainer, and the command line, as real processes in a folder of their own.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/base/json.h"
#include "coordinator/store/sqlite_store.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace gridsweep {

struct CommandResult {
  int code = 0;  // exit code, or minus the signal that ended it
  std::string out;
  std::string err;
};
std::ostream& operator<<(std::ostream& stream, const CommandResult& result);

struct WorkerSetup {
  std::vector<std::string> flags;
  std::string coordinator;   // empty: the cluster's
  std::string registers_as;  // --name; empty: the process's
  std::string trainer = "fake-trainer";
  std::vector<std::string>
      wrapper;  // a command that becomes the worker: {"/usr/sbin/ip", "netns", "exec", …}
};

// Not thread-safe. On a failed test the folder is kept and its name printed.
class Cluster {
 public:
  struct Options {
    double lease_seconds = 1;
    Json fake = Json::object();  // GRIDSWEEP_FAKE_TRAINER, see fake_trainer/script.h; "state_dir" is added
    std::string db_dir;          // empty: the cluster's folder
    bool gated = false;          // no epoch ends before OpenGate
    std::vector<std::string> coordinator_flags;
    std::string listen = "127.0.0.1:0";
    std::map<std::string, std::string> env;  // of all processes
  };
  Cluster() : Cluster(Options{}) {}
  explicit Cluster(Options options);
  ~Cluster();

  // The folder and what lies in it.
  const TempDir& dir() const { return dir_; }
  std::string data_dir() const { return dir_ / "data"; }  // with the data set "tiny"
  const std::string& db() const { return db_; }
  static std::string Program(const std::string& name);  // path of gridsweep's own

  // Waits until it listens; a second time on the same port.
  void StartCoordinator();
  TestProcess& coordinator() { return *coordinator_; }
  const std::string& address() const { return address_; }
  // SIGKILL, and a new one in its place.
  void CrashCoordinator();

  // A process of that name must not be running; then this is its restart.
  TestProcess& StartWorker(const std::string& name, const WorkerSetup& setup = {});
  TestProcess& worker(const std::string& name) { return *workers_.at(name); }
  // The worker's trainer; waits for it. -1, failing the test, if there is none.
  pid_t TrainerOf(const std::string& name);

  void OpenGate();
  // Lets epochs of jobs with this seed end up to and with `epoch`, also while the gate is closed.
  void LetEpochsEnd(int64_t seed, int64_t epoch);
  void CloseGate();

  // `gridsweep ARGS` to its end, in the cluster's folder. Cli adds --coordinator.
  CommandResult Run(const std::vector<std::string>& args);
  CommandResult Cli(std::vector<std::string> args);
  // The same, not waited for. `name` is of its log files.
  std::unique_ptr<TestProcess> Launch(const std::string& name, const std::vector<std::string>& args);

  // Writes the file, submits it and returns the sweep's id.
  std::string Submit(const std::string& yaml);

  // Polls. Fails with the processes' last words after kWaitLimit, or as soon as one of them has died by itself.
  testing::AssertionResult Await(const std::string& what, const std::function<bool()>& condition);
  // Until no job of the sweep is pending or running.
  testing::AssertionResult AwaitFinished(const std::string& sweep);
  // Until the process has written `text` to stderr at least `times` times.
  testing::AssertionResult AwaitLog(TestProcess& process, const std::string& text, int times = 1);

  // Reads the database beside the coordinator, whether it runs or not. One number, -1 if there is none.
  int64_t QueryInt(const std::string& sql);

  std::string RankCsv(const std::string& sweep);
  // What must hold after whatever happened: the file is sound, every job has exactly one accepted attempt with all of its
  // epochs, in order, and no attempt is open.
  void ExpectIntact(const std::string& sweep);

  std::string Describe();

 private:
  TestProcess::Options ProcessOptions(const std::string& name, std::vector<std::string> argv) const;
  StoreReader* Reader();

  const Options options_;
  TempDir dir_;
  std::string db_;
  std::string address_;
  std::unique_ptr<TestProcess> coordinator_;
  std::map<std::string, std::unique_ptr<TestProcess>> workers_;
  StoreFiles files_;
  int commands_ = 0;
};

// `gridsweep rank --format csv --no-times` of the sweep run by one worker to whom nothing happens. Cached by file.
const std::string& FaultFreeCsv(const std::string& yaml);

}  // namespace gridsweep
