// Thirty faults of every kind in one sweep, drawn with a fixed seed.
#include <gtest/gtest.h>

#include <csignal>
#include <random>

#include "common/base/status.h"
#include "tests/fault/sweeps.h"
#include "tests/support/cluster.h"
#include "tests/support/tcp_proxy.h"

namespace gridsweep {
namespace {

constexpr int kFaults = 30;
constexpr uint32_t kSeed = 20261122;

// 144 jobs of 3 epochs: long enough that every fault hits it.
constexpr char kChaosSweep[] = R"(name: chaos
dataset: tiny
training: {epochs: 3, validation: 0.1}
seeds: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]
grid:
  model: [mlp, cnn]
  activation: [relu, tanh, gelu]
  optimizer: [adam, rmsprop]
)";

class Chaos {
 public:
  Chaos() : cluster_({.lease_seconds = 1, .fake = {{"epoch_ms", 150}}}) {
    cluster_.StartCoordinator();
    proxy_ = std::make_unique<TcpProxy>(cluster_.address());
    for (const char* name : kWorkers) Start(name);
  }

  Cluster& cluster() { return cluster_; }

  // Waits for some progress, and until no unfinished job is near a limit; then does something nasty.
  testing::AssertionResult Strike() {
    const int64_t epochs = cluster_.QueryInt(kEpochsSql);
    const auto calm = cluster_.Await("calm before the next fault", [&] {
      return cluster_.QueryInt(
                 "SELECT count(*) FROM v_jobs WHERE state IN ('pending', 'running') AND "
                 "(losses >= 3 OR failures >= 1)") == 0 &&
             (cluster_.QueryInt(kEpochsSql) > epochs || IsOver());
    });
    if (!calm) return calm;
    if (IsOver()) return testing::AssertionFailure() << "the sweep was over before the last fault";
    const std::string name = kWorkers[random_() % std::size(kWorkers)];
    TestProcess& worker = cluster_.worker(name);
    switch (random_() % 7) {
      case 0:
        Note("kill worker " + name);
        worker.Kill();
        Start(name);
        break;
      case 1:
        Note("kill trainer of " + name);
        for (const pid_t trainer : ChildrenOf(worker.pid())) kill(trainer, SIGKILL);
        break;
      case 2:
      case 3:
        Note("kill coordinator");
        cluster_.CrashCoordinator();
        break;
      case 4: {
        Note("pause " + name + " beyond its lease");
        const int64_t lost = LostBy(name);
        worker.Signal(SIGSTOP);
        const auto expired = cluster_.Await("the paused worker's leases to expire",
                                            [&] { return LostBy(name) > lost || OpenOf(name) == 0; });
        worker.Signal(SIGCONT);
        return expired;
      }
      case 5:
        Note("lose an answer");
        proxy_->LoseAnswers(1);
        break;
      case 6:
        Note("stop worker " + name);
        worker.Signal(SIGTERM);
        worker.Wait();
        Start(name);
        break;
    }
    return testing::AssertionSuccess();
  }

  const std::string& notes() const { return notes_; }

 private:
  static constexpr const char* kWorkers[] = {"alice", "bob", "carol"};

  void Start(const std::string& name) {
    cluster_.StartWorker(name, {.flags = {"--slots", "2"}, .coordinator = proxy_->address()});
  }
  void Note(const std::string& what) {
    notes_ += fmt::format("\nafter {} epochs: {}", cluster_.QueryInt(kEpochsSql), what);
  }
  bool IsOver() { return cluster_.QueryInt("SELECT sum(pending + running) FROM v_sweeps") == 0; }
  int64_t LostBy(const std::string& name) {
    return cluster_.QueryInt("SELECT count(*) FROM v_attempts WHERE state = 'lost' AND worker = '" + name +
                             "'");
  }
  int64_t OpenOf(const std::string& name) {
    return cluster_.QueryInt("SELECT count(*) FROM v_attempts WHERE state = 'open' AND worker = '" + name +
                             "'");
  }

  Cluster cluster_;
  std::unique_ptr<TcpProxy> proxy_;
  std::mt19937 random_{kSeed};
  std::string notes_;
};

TEST(Chaos, TheTableIsTheFaultFreeOneByteForByte) {
  const std::string& expected = FaultFreeCsv(kChaosSweep);
  Chaos chaos;
  Cluster& cluster = chaos.cluster();
  const std::string sweep = cluster.Submit(kChaosSweep);
  for (int i = 0; i < kFaults; ++i) ASSERT_TRUE(chaos.Strike()) << chaos.notes();
  ASSERT_TRUE(cluster.AwaitFinished(sweep)) << chaos.notes();
  cluster.ExpectIntact(sweep);
  EXPECT_EQ(cluster.RankCsv(sweep), expected) << chaos.notes();

  EXPECT_EQ(cluster.QueryInt("SELECT count(*) FROM v_jobs WHERE state = 'succeeded'"), 144);
}

}  // namespace
}  // namespace gridsweep
