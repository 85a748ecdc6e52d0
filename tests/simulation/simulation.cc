#include "tests/simulation/simulation.h"

#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <utility>

#include "common/catalog/catalog.h"
#include "common/sweep/grid.h"
#include "common/sweep/sweep_spec.h"
#include "coordinator/store/sqlite_db.h"
#include "tests/simulation/event_queue.h"
#include "tests/simulation/forger.h"
#include "tests/simulation/invariants.h"
#include "tests/simulation/sim_coordinator.h"
#include "tests/simulation/sim_network.h"
#include "tests/simulation/sim_random.h"
#include "tests/simulation/sim_worker.h"
#include "tests/simulation/witness.h"

namespace gridsweep {
namespace {

constexpr char kSweep[] = R"(name: simulated
dataset: tiny
training: {epochs: 4, validation: 0.1}
seeds: [1, 2]
grid:
  model: [mlp, cnn]
  activation: [relu, tanh]
  scheduler: [none, {step: {step_size: 1, gamma: 0.5}}, {plateau: {patience: 0}}]
)";
// One that its user cancels.
constexpr char kRegretted[] = R"(name: regretted
dataset: tiny
training: {epochs: 4, validation: 0.1}
seeds: [7]
grid:
  model: [mlp]
  activation: [relu, elu, tanh, gelu]
)";

constexpr absl::Duration kFaultsEnd = absl::Minutes(3);
// From then on nothing is in the way of a sweep of a minute, whatever back-off and leases are still to run out.
constexpr absl::Duration kPatience = absl::Minutes(30);

constexpr absl::Duration kLease = absl::Seconds(10);
// Room for all files, or for so few that some are turned away.
constexpr int64_t kRoom = 64 << 20, kLittleRoom = 16 << 10;

QueueOptions Options(SimRandom* random) {
  QueueOptions options;
  options.lease = kLease;
  options.jitter = [random] { return random->Unit(); };
  // Faults come more often than limits are made for; that nobody is blamed for them shows in the counters.
  options.retry.max_losses = 1000;
  options.retry.max_failures = 1000;
  return options;
}

class World {
 public:
  World(uint64_t seed, const std::string& directory)
      : seed_(seed),
        random_(seed),
        network_(&events_, &random_),
        database_(directory + "/sim.db"),
        witness_(&events_, kLease),
        coordinator_(database_, &events_, &random_, &network_, Options(&random_), &witness_,
                     seed != 0 && random_.Chance(0.2) ? kLittleRoom : kRoom) {
    for (const char* name : {"alice", "bob", "carol"}) {
      const double rate = seed == 0 ? 1 : 0.5 + 1.5 * random_.Unit();
      workers_.push_back(
          std::make_unique<SimWorker>(name, 2, rate, &events_, &random_, &network_, &witness_));
    }
  }

  SimulationResult Run() {
    const absl::Duration begin = events_.now();
    coordinator_.Start();
    for (auto& worker : workers_) worker->Start();
    Submit(kSweep, "main");
    if (seed_ != 0) {
      Submit(kRegretted, "regretted");
      PlanFaults(begin);
    }
    while (!IsOver() && events_.now() < begin + kFaultsEnd + kPatience) {
      events_.Step();
      // Faults of a coordinator without work show little.
      if (seed_ != 0 && !faults_over_ && HaveEnded()) EndFaults();
    }
    SimulationResult result;
    result.virtual_seconds = absl::ToDoubleSeconds(events_.now() - begin);
    result.seed = seed_;
    result.faults = faults_;
    result.story = story_;
    result.coordinator_lives = coordinator_.lives();
    result.resumes = witness_.resumes();
    result.files = coordinator_.artifacts().stored();
    result.forgeries = forgeries_;
    if (IsOver()) {
      coordinator_.artifacts().CheckAtEnd();
      CheckRows();
    } else {
      result.violations.push_back("the sweeps did not end " + coordinator_.trouble());
    }
    Acknowledged acknowledged{.events = coordinator_.acknowledged(), .models = {}};
    for (const auto& worker : workers_)
      acknowledged.models.insert(worker->acknowledged_models().begin(), worker->acknowledged_models().end());
    CheckInvariants(database_, acknowledged, result);
    result.violations.insert(result.violations.begin(), witness_.violations().begin(),
                             witness_.violations().end());
    return result;
  }

 private:
  void CheckRows() {
    const auto db = Db::Open(database_, Db::Mode::kReadOnly);
    if (db.ok()) witness_.CheckRows(**db);
  }

  // Does `what` now and again until `done`: a user who repeats the command until it is answered.
  void Repeat(const std::shared_ptr<bool>& done, const std::function<void()>& what) {
    if (*done) return;
    events_.After(absl::Seconds(3), [this, done, what] { Repeat(done, what); });
    what();
  }

  void Submit(const std::string& yaml, const std::string& key) {
    const auto accepted = std::make_shared<bool>(false);
    Repeat(accepted, [this, yaml, key, accepted] {
      coordinator_.Post(
          [yaml, key](JobQueue&, Store& store, const Instant& now) -> absl::Status {
            GS_ASSIGN_OR_RETURN(const SweepSpec spec, ParseSweep(yaml, "sim.yaml", Catalog::Builtin(), {}));
            return store
                .SubmitSweep({key, SweepContentHash(spec), yaml, false}, spec, Grid(spec), Catalog::Builtin(),
                             now.wall)
                .status();
          },
          [this, key, accepted](const absl::Status& status) {
            if (!status.ok() || std::exchange(*accepted, true)) return;
            ++submitted_;
            if (key == "regretted") Control(key, absl::Seconds(5 + random_.Below(60)), &World::Cancel);
          });
    });
  }

  using Action = absl::Status (World::*)(JobQueue&, Store&, SweepId, const Instant&);
  absl::Status Cancel(JobQueue& queue, Store& /*store*/, SweepId sweep, const Instant& now) {
    return queue.Cancel(sweep, now);
  }
  absl::Status Pause(JobQueue& /*queue*/, Store& store, SweepId sweep, const Instant& now) {
    return store.SetPaused(sweep, true, now.wall);
  }
  absl::Status Resume(JobQueue& /*queue*/, Store& store, SweepId sweep, const Instant& now) {
    return store.SetPaused(sweep, false, now.wall);
  }
  void Control(const std::string& key, absl::Duration delay, Action action) {
    const auto done = std::make_shared<bool>(false);
    const std::string name = key == "main" ? "simulated" : "regretted";
    const auto what = [this, name, action, done] {
      // A pause that was never answered must not be repeated after the last resume.
      if (faults_over_ && action == &World::Pause) {
        *done = true;
        return;
      }
      coordinator_.Post(
          [this, name, action](JobQueue& queue, Store& store, const Instant& now) -> absl::Status {
            GS_ASSIGN_OR_RETURN(const SweepId sweep, coordinator_.FindSweep(name));
            const absl::Status status = (this->*action)(queue, store, sweep, now);
            return absl::IsFailedPrecondition(status) ? absl::OkStatus() : status;  // it is over
          },
          [done](const absl::Status& status) { *done = *done || status.ok(); });
    };
    events_.After(delay, [this, done, what] { Repeat(done, what); });
  }

  void PlanFaults(absl::Duration begin) {
    network_.set_faults(
        {.lose = 0.1 * random_.Unit(), .duplicate = 0.1 * random_.Unit(), .slow = 0.05 * random_.Unit()});
    for (auto& worker : workers_)
      worker->set_faults({.crash = 0.05 * random_.Unit(),
                          .hang = 0.01 * random_.Unit(),
                          .no_checkpoint = 0.3 * random_.Unit(),
                          .lose_files = 0.3 * random_.Unit()});
    coordinator_.artifacts().set_cuts(0.2 * random_.Unit());
    PlanFault();
    PlanForgery();
    events_.At(begin + kFaultsEnd, [this] { EndFaults(); });
  }

  void PlanFault() {
    events_.After(random_.Between(absl::Milliseconds(200), absl::Seconds(12)), [this] {
      if (faults_over_) return;
      Strike();
      PlanFault();
    });
  }

  // All the time: who has lost a lease does not know when the faults are over.
  void PlanForgery() {
    events_.After(random_.Between(absl::Milliseconds(200), absl::Seconds(3)), [this] {
      coordinator_.Post(
          [this](JobQueue& queue, Store& store, const Instant& now) {
            Forge(queue, store, witness_, random_, now);
            return absl::OkStatus();
          },
          [this](const absl::Status&) { ++forgeries_; });
      PlanForgery();
    });
  }

  void Strike() {
    ++faults_;
    SimWorker& worker = *workers_[static_cast<size_t>(random_.Below(static_cast<int64_t>(workers_.size())))];
    const absl::Duration outage = random_.Between(absl::Milliseconds(10), absl::Seconds(25));
    switch (random_.Below(15)) {
      case 0:
        Note("kill " + worker.name());
        worker.Kill();
        events_.After(outage, [&worker] {
          if (!worker.is_running()) worker.Start();
        });
        break;
      case 1:
        Note("stop " + worker.name());
        worker.Drain();
        events_.After(absl::Seconds(30), [&worker] {
          if (!worker.is_running()) worker.Start();
        });
        break;
      case 2:
        Note("freeze " + worker.name());
        worker.Freeze();
        events_.After(outage, [&worker] { worker.Thaw(); });
        break;
      case 3: {
        const int64_t way = random_.Below(3);
        Note(fmt::format("cut {} off, way {}", worker.name(), way));
        network_.Cut(worker.name(), way != 1, way != 0);
        events_.After(outage, [this] { network_.Heal(); });
        break;
      }
      case 4:
      case 5:
      case 6:
      case 7:
      case 8: {
        constexpr std::array kDeaths = {Death::kKill,         Death::kPowerLoss,   Death::kMidBatch,
                                        Death::kPowerInBatch, Death::kBeforeReply, Death::kFileSync,
                                        Death::kFolderSync,   Death::kBeforeRow};
        const auto how = static_cast<size_t>(random_.Below(std::ssize(kDeaths)));
        Note(fmt::format("coordinator dies, {}", how));
        coordinator_.Die(kDeaths[how], outage);
        break;
      }
      case 9:
        Note("freeze the coordinator");
        coordinator_.Freeze(outage);
        break;
      case 10: {
        constexpr std::array kFaults = {FaultDisk::Fault::kFull, FaultDisk::Fault::kWriteError,
                                        FaultDisk::Fault::kSyncError};
        const auto fault = static_cast<size_t>(random_.Below(std::ssize(kFaults)));
        Note(fmt::format("disk fault {}", fault));
        coordinator_.SetDisk(kFaults[fault]);
        events_.After(outage, [this] { coordinator_.SetDisk(FaultDisk::Fault::kNone); });
        break;
      }
      case 11:
        Note("set the wall clock");
        coordinator_.clock().SetWallOffset(random_.Between(-absl::Hours(1), absl::Hours(1)));
        break;
      case 12:
        Note("pause and resume");
        Control("main", absl::ZeroDuration(), &World::Pause);
        Control("main", outage, &World::Resume);
        break;
      case 13:
        if (coordinator_.artifacts().Damage()) Note("damage a file of the coordinator's");
        break;
      case 14:
        Note("a sync of the files' folder fails");
        coordinator_.artifacts().disk().FailFolderSync();
        break;
    }
  }

  void EndFaults() {
    if (std::exchange(faults_over_, true)) return;
    Note("no more faults");
    network_.set_faults({});
    network_.Heal();
    coordinator_.SetDisk(FaultDisk::Fault::kNone);
    coordinator_.artifacts().set_cuts(0);
    coordinator_.artifacts().Live();
    for (auto& worker : workers_) {
      worker->set_faults({});
      worker->Thaw();
    }
    KeepWorkersRunning();
    Control("main", absl::Seconds(30), &World::Resume);
  }

  // As a service manager does: one that was told to stop, or turned away for a late copy of an old session, ends later.
  void KeepWorkersRunning() {
    for (auto& worker : workers_) {
      if (!worker->is_running()) worker->Start();
    }
    events_.After(absl::Seconds(5), [this] { KeepWorkersRunning(); });
  }

  bool HaveEnded() const { return submitted_ == (seed_ == 0 ? 1 : 2) && coordinator_.HasEnded(); }
  // The sweeps have ended, and so have the workers with what they had to hand in.
  bool IsOver() const {
    return HaveEnded() && (seed_ == 0 || faults_over_) && coordinator_.is_running() &&
           std::all_of(workers_.begin(), workers_.end(),
                       [](const auto& worker) { return worker->is_idle(); });
  }

  void Note(const std::string& what) {
    story_ += fmt::format("\n  {:8.3f} {}", absl::ToDoubleSeconds(events_.now() - absl::Hours(1)), what);
  }

  const uint64_t seed_;
  EventQueue events_;
  SimRandom random_;
  SimNetwork network_;
  const std::string database_;
  Witness witness_;
  SimCoordinator coordinator_;
  std::vector<std::unique_ptr<SimWorker>> workers_;
  int submitted_ = 0;
  int64_t faults_ = 0;
  int64_t forgeries_ = 0;
  bool faults_over_ = false;
  std::string story_;
};

}  // namespace

SimulationResult Simulate(uint64_t seed, const std::string& directory) {
  return World(seed, directory).Run();
}

}  // namespace gridsweep
