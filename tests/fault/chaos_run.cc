// Minutes of random faults on real training: every kind of process is killed and stopped, and the network between them is
// cut. Then every sweep must have ended with the table that a run without faults gives, byte for byte. `./dev chaos` runs it.
#include <gtest/gtest.h>

#include <csignal>
#include <random>

#include "common/base/command_line.h"
#include "tests/support/cluster.h"
#include "tests/support/tcp_proxy.h"

namespace gridsweep {
namespace {

using std::chrono::steady_clock;

struct Flags {
  double minutes = 10;
  uint32_t seed = 0;
  std::string data_dir = "/usr/share/datasets";
};
Flags flags;

constexpr double kFaultsAMinute = 11;
// After the last fault.
constexpr std::chrono::minutes kPatience{10};

// 16 jobs; groups of two share their first epoch.
constexpr char kSweep[] = R"(name: chaos
dataset: fashion-mnist
training: {epochs: 3, batch_size: 128, samples: 2000, validation: 0.05}
seeds: [1, 2]
grid:
  model: [mlp, { cnn: { channels: [4, 8] } }]
  activation: [relu, elu]
  scheduler: [none, { step: { step_size: 1 } }]
)";
constexpr int kJobs = 16;

constexpr char kUnfinishedSql[] = "SELECT sum(pending + running) FROM v_sweeps";

WorkerSetup RealWorker(const std::string& coordinator) {
  return {
      .flags = {"--data-dir", flags.data_dir}, .coordinator = coordinator, .trainer = "gridsweep-trainer"};
}

class Chaos {
 public:
  Chaos() : cluster_({.lease_seconds = 5}), random_(flags.seed) {
    cluster_.StartCoordinator();
    for (const char* name : kWorkers) {
      proxies_[name] = std::make_unique<TcpProxy>(cluster_.address());
      Start(name);
    }
  }

  Cluster& cluster() { return cluster_; }
  const std::vector<std::string>& sweeps() const { return sweeps_; }
  int faults() const { return faults_; }

  void Run() {
    const auto end = steady_clock::now() + std::chrono::duration<double>(flags.minutes * 60);
    const auto between = std::chrono::duration<double>(60 / kFaultsAMinute);
    while (steady_clock::now() < end && !testing::Test::HasFatalFailure()) {
      const auto begin = steady_clock::now();
      KeepBusy();
      FreeTheQuarantined();
      Strike();
      ASSERT_TRUE(cluster_.Await("nobody to have died by itself", [] { return true; }));
      std::this_thread::sleep_until(begin + between * (0.5 + 0.8 * Unit()));
    }
  }

  // Whether all sweeps ended within kPatience.
  testing::AssertionResult Finish() {
    fmt::print("{:6.1f} s  no more faults after {}; waiting for {} jobs\n", Seconds(), faults_,
               cluster_.QueryInt(kUnfinishedSql));
    std::fflush(stdout);
    return WaitUntil(
        "the sweeps to end",
        [&] {
          FreeTheQuarantined();
          return cluster_.QueryInt(kUnfinishedSql) == 0;
        },
        [&] { return cluster_.Describe(); }, kPatience);
  }

  double Seconds() const { return std::chrono::duration<double>(steady_clock::now() - begin_).count(); }

 private:
  static constexpr const char* kWorkers[] = {"alice", "bob"};

  double Unit() { return static_cast<double>(random_()) / 4294967296.0; }
  void Pause(double least, double most) {
    std::this_thread::sleep_for(std::chrono::duration<double>(least + (most - least) * Unit()));
  }
  void Start(const std::string& name) {
    cluster_.StartWorker(name, RealWorker(proxies_.at(name)->address()));
  }

  void KeepBusy() {
    if (cluster_.QueryInt(kUnfinishedSql) >= kJobs / 2) return;
    const std::string file = cluster_.dir() / "chaos.yaml";
    WriteFile(file, kSweep);
    const CommandResult submitted = cluster_.Cli({"submit", "--again", file});
    ASSERT_EQ(submitted.code, 0) << submitted;
    sweeps_.push_back(submitted.out.substr(0, submitted.out.find('\n')));
  }

  // A worker whose trainers we have killed several times looks sick. As its owner would do it.
  void FreeTheQuarantined() {
    const std::string log = cluster_.coordinator().Err();
    for (; log_read_ < log.size(); log_read_ = std::min(log.size(), log.find('\n', log_read_)) + 1) {
      const std::string line = log.substr(log_read_, log.find('\n', log_read_) - log_read_);
      if (line.find("worker_quarantined") == std::string::npos) continue;
      for (const char* name : kWorkers) {
        if (line.find(fmt::format("worker={}", name)) == std::string::npos) continue;
        fmt::print("{:6.1f} s  {} was quarantined, starting it again\n", Seconds(), name);
        StopInOrder(name);
        Start(name);
      }
    }
  }

  void StopInOrder(const std::string& name) {
    cluster_.worker(name).Signal(SIGTERM);
    cluster_.worker(name).Wait();
  }

  int64_t HeldBy(const std::string& name) {
    return cluster_.QueryInt(
        fmt::format("SELECT count(*) FROM v_attempts WHERE state = 'open' AND worker = '{}'", name));
  }
  // Until what it holds has expired.
  void AwaitExpiry(const std::string& name) {
    ASSERT_TRUE(cluster_.Await("the leases of " + name + " to expire", [&] { return HeldBy(name) == 0; }));
  }

  // No job may come to a limit by what we do: then it would rightly fail.
  bool IsCalm() {
    return cluster_.QueryInt(
               "SELECT count(*) FROM v_jobs WHERE state IN ('pending', 'running') AND (losses >= 3 OR failures >= 2)") ==
           0;
  }

  void Note(const std::string& what) {
    ++faults_;
    fmt::print("{:6.1f} s  {:3}  {} epochs  {}\n", Seconds(), faults_,
               cluster_.QueryInt("SELECT count(*) FROM v_epochs"), what);
    std::fflush(stdout);
  }

  void Strike() {
    const std::string name = kWorkers[random_() % std::size(kWorkers)];
    TestProcess& worker = cluster_.worker(name);
    TcpProxy& proxy = *proxies_.at(name);
    // The first kinds count against no job.
    switch (random_() % (IsCalm() ? 12 : 8)) {
      case 0:
      case 1:
        Note("kill the coordinator");
        cluster_.CrashCoordinator();
        break;
      case 2:
        Note("stop the coordinator in order");
        cluster_.coordinator().Signal(SIGTERM);
        EXPECT_EQ(cluster_.coordinator().Wait(), 0);
        cluster_.StartCoordinator();
        break;
      case 3:
        Note("freeze the coordinator");
        cluster_.coordinator().Signal(SIGSTOP);
        Pause(0.5, 3);
        cluster_.coordinator().Signal(SIGCONT);
        break;
      case 4:
        Note("lose an answer to " + name);
        proxy.LoseAnswers(1);
        break;
      case 5:
        Note("a short partition of " + name);
        proxy.Freeze(true, random_() % 2 == 0);
        Pause(0.5, 2.5);
        proxy.Thaw();
        break;
      case 6:
        Note("freeze the trainer of " + name);
        SignalTrainers(worker, SIGSTOP);
        Pause(0.5, 2);
        SignalTrainers(worker, SIGCONT);
        break;
      case 7:
        Note("stop " + name + " in order");
        StopInOrder(name);
        Start(name);
        break;
      case 8:
        Note("kill " + name);
        worker.Kill();
        Start(name);
        break;
      case 9:
        Note("kill the trainer of " + name);
        SignalTrainers(worker, SIGKILL);
        break;
      case 10:
        Note("freeze " + name + " beyond its lease");
        worker.Signal(SIGSTOP);
        AwaitExpiry(name);
        worker.Signal(SIGCONT);
        break;
      case 11:
        Note("a partition of " + name + " beyond its lease");
        proxy.Freeze();
        AwaitExpiry(name);
        proxy.Thaw();
        break;
    }
  }

  static void SignalTrainers(const TestProcess& worker, int signal) {
    for (const pid_t trainer : ChildrenOf(worker.pid())) kill(trainer, signal);
  }

  Cluster cluster_;
  std::map<std::string, std::unique_ptr<TcpProxy>> proxies_;
  std::mt19937 random_;
  const steady_clock::time_point begin_ = steady_clock::now();
  std::vector<std::string> sweeps_;
  size_t log_read_ = 0;
  int faults_ = 0;
};

std::string CalmCsv() {
  Cluster cluster;
  cluster.StartCoordinator();
  cluster.StartWorker("undisturbed", RealWorker(cluster.address()));
  const std::string sweep = cluster.Submit(kSweep);
  EXPECT_TRUE(WaitUntil(
      "the sweep without faults to end", [&] { return cluster.QueryInt(kUnfinishedSql) == 0; },
      [&] { return cluster.Describe(); }, kPatience));
  cluster.ExpectIntact(sweep);
  return cluster.RankCsv(sweep);
}

TEST(ChaosRun, EverySweepEndsAsIfNothingHadHappened) {
  const std::string expected = CalmCsv();
  ASSERT_FALSE(HasFailure());
  Chaos chaos;
  Cluster& cluster = chaos.cluster();
  ASSERT_NO_FATAL_FAILURE(chaos.Run());
  ASSERT_TRUE(chaos.Finish());
  for (const std::string& sweep : chaos.sweeps()) {
    cluster.ExpectIntact(sweep);
    EXPECT_EQ(cluster.QueryInt("SELECT count(*) FROM v_jobs WHERE state = 'succeeded' AND sweep = " + sweep),
              kJobs);
    EXPECT_EQ(cluster.RankCsv(sweep), expected) << "sweep " << sweep;
    const CommandResult audit = cluster.Cli({"audit", sweep});
    EXPECT_EQ(audit.code, 0) << audit;
    EXPECT_NE(audit.out.find(" 0 duplicates"), std::string::npos) << audit;
    fmt::print("{}", audit.out);
  }
  EXPECT_GE(chaos.faults(), static_cast<int>(10 * flags.minutes)) << "too few faults to show anything";
  fmt::print(
      "seed {}: {} faults in {:.0f} s, {} sweeps of {} jobs, {} attempts; every table is the fault-free one\n",
      flags.seed, chaos.faults(), chaos.Seconds(), chaos.sweeps().size(), kJobs,
      cluster.QueryInt("SELECT count(*) FROM v_attempts"));
}

int Main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  CLI::App app("Random faults on real training, then the invariants", "chaos");
  flags.seed = std::random_device()();
  app.add_option("--minutes", flags.minutes)->check(CLI::Range(0.1, 1e5))->capture_default_str();
  app.add_option("--seed", flags.seed,
                 "Of the faults' order; their moments depend on the machine. Default: a random one");
  app.add_option("--data-dir", flags.data_dir, "With the data set fashion-mnist")->capture_default_str();
  if (const auto exit_code = ParseCommandLine(app, argc, argv)) return *exit_code;
  fmt::print("chaos for {} minutes, seed {}\n", flags.minutes, flags.seed);
  std::fflush(stdout);
  return RUN_ALL_TESTS();
}

}  // namespace
}  // namespace gridsweep

int main(int argc, char** argv) {
  return gridsweep::Main(argc, argv);
}
