#include "tests/simulation/sim_coordinator.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "coordinator/service/convert_sync.h"
#include "coordinator/store/sqlite_db.h"
#include "gridsweep/v1/worker_service.pb.h"
#include "tests/simulation/sim_transfers.h"

namespace gridsweep {
namespace {

// As the commit loop's: at most between two looks at the leases.
constexpr absl::Duration kTick = absl::Milliseconds(200);
// As that of a service manager.
constexpr absl::Duration kRestart = absl::Seconds(2);

}  // namespace

SimCoordinator::SimCoordinator(std::string database, EventQueue* events, SimRandom* random,
                               SimNetwork* network, QueueOptions options, Witness* witness,
                               int64_t artifacts_limit)
    : database_(std::move(database)),
      events_(events),
      random_(random),
      network_(network),
      options_(std::move(options)),
      witness_(witness),
      clock_(events),
      artifacts_(
          database_ + ".artifacts", artifacts_limit, events, random, witness,
          [this](SimArtifacts::Operation operation, std::function<void(const absl::Status&)> done) {
            Post([operation = std::move(operation)](
                     JobQueue&, Store& store, const Instant& now) { return operation(store, now.wall); },
                 std::move(done));
          },
          [this] {
            Stop(/*power_loss=*/false);
            Restart(downtime_);
          }) {}

SimCoordinator::~SimCoordinator() {
  Stop(/*power_loss=*/false);
}

void SimCoordinator::Start() {
  StoreOptions options;
  options.clock = &clock_;
  options.vfs = disk_.vfs();
  options.make_token = [this] { return random_->Hex32(); };
  options.file_system_type = [](const std::string&) { return int64_t{0}; };
  absl::StatusOr<StoreFiles> opened = OpenSqliteStore(database_, options);
  absl::Status status = opened.status();
  if (opened.ok()) {
    files_ = *std::move(opened);
    const auto db = Db::Open(database_, Db::Mode::kReadOnly);
    if (db.ok()) {
      witness_->CoordinatorStarts(**db);
    } else {
      witness_->Object("the database cannot be read: " + Message(db.status()));
    }
    status = artifacts_.Start(files_.reader.get());
    store_ = std::make_unique<WitnessedStore>(files_.store.get(), witness_);
    queue_ = std::make_unique<JobQueue>(store_.get(), options_);
    if (status.ok()) status = queue_->Load(*files_.reader, clock_.Now());
  }
  if (!status.ok()) {
    trouble_ = "cannot start: " + Message(status);
    Stop(/*power_loss=*/false);
    return Restart(kRestart);
  }
  trouble_.clear();
  ++lives_;
  runner_ = std::make_unique<BatchRunner>(store_.get(), files_.reader.get(), queue_.get());
  network_->set_server([this](const std::string& request, std::function<void(SimNetwork::Answer)> reply) {
    Serve(request, std::move(reply));
  });
  planned_for_ = std::nullopt;
  PlanBatch(kTick);
}

void SimCoordinator::SetDisk(FaultDisk::Fault fault) {
  disk_.Set(fault);
  artifacts_.disk().Set(fault);
}

void SimCoordinator::Serve(const std::string& request, std::function<void(SimNetwork::Answer)> reply) {
  if (request.starts_with(kGetTag)) return artifacts_.Get(request.substr(1), reply);
  if (!request.starts_with(kPutTag)) return ServeSync(request, std::move(reply));
  const size_t header = std::stoul(request.substr(1, kPutDigits), nullptr, 16);
  artifacts_.Put(request.substr(1 + kPutDigits, header), request.substr(1 + kPutDigits + header), reply);
}

void SimCoordinator::ServeSync(const std::string& request, std::function<void(SimNetwork::Answer)> reply) {
  v1::SyncRequest proto;
  if (!proto.ParseFromString(request)) return reply(absl::InternalError("not a request"));
  absl::StatusOr<SyncInput> input = FromProto(proto);
  if (!input.ok()) return reply(input.status());
  const auto output = std::make_shared<SyncOutput>();
  Post(
      [this, input = *std::move(input), output](JobQueue& queue, Store&, const Instant& now) -> absl::Status {
        witness_->SyncBegins(input);
        absl::StatusOr<SyncOutput> answer = queue.Sync(input, now);
        witness_->SyncEnds(input, answer);
        GS_ASSIGN_OR_RETURN(*output, std::move(answer));
        return absl::OkStatus();
      },
      [this, output, reply = std::move(reply)](const absl::Status& status) {
        if (!status.ok()) return reply(status);
        for (const auto& [attempt, seq] : output->stored)
          acknowledged_[attempt.value] = std::max(acknowledged_[attempt.value], seq);
        v1::SyncResponse response;
        ToProto(*output, &response);
        reply(response.SerializeAsString());
      });
}

void SimCoordinator::Post(Operation operation, std::function<void(const absl::Status&)> done) {
  if (!is_running()) return;
  waiting_.push_back({std::move(operation), std::move(done)});
  // Requests of the next milliseconds share its transaction.
  PlanBatch(random_->Between(absl::ZeroDuration(), absl::Milliseconds(4)));
}

void SimCoordinator::PlanBatch(absl::Duration delay) {
  const absl::Duration when = std::max(events_->now() + delay, frozen_until_);
  if (planned_for_ && *planned_for_ <= when) return;
  planned_for_ = when;
  events_->At(when, [this, plan = ++plan_] {
    if (plan == plan_ && is_running()) RunBatch();
  });
}

void SimCoordinator::RunBatch() {
  planned_for_ = std::nullopt;
  if (events_->now() < frozen_until_) return PlanBatch(absl::ZeroDuration());
  std::vector<Item> batch = std::exchange(waiting_, {});
  std::vector<BatchRunner::Operation> operations;
  for (Item& item : batch) {
    operations.push_back([this, operation = std::move(item.operation)](JobQueue& queue, const Instant& now) {
      return operation(queue, *store_, now);
    });
  }
  const std::optional<Death> death = std::exchange(next_death_, std::nullopt);
  if (death == Death::kMidBatch || death == Death::kPowerInBatch) disk_.DieAfter(1 + random_->Below(12));
  const BatchRunner::Outcome outcome = runner_->Run(operations, clock_.Now());
  if (death) {
    Stop(/*power_loss=*/death == Death::kPowerInBatch);
    return Restart(downtime_);
  }
  if (outcome.commit.ok() && outcome.leases.ok()) witness_->LeasesLookedAt();
  if (!batch.empty()) {
    const absl::StatusOr<std::vector<WorkClass>> work = files_.store->WorkClasses();
    ended_ = work.ok() && work->empty();
  }
  for (size_t i = 0; i < batch.size(); ++i) batch[i].done(outcome.results[i]);
  if (const auto trouble = files_.store->Trouble(); trouble && trouble->needs_restart) {
    // What the failed sync was for may be lost, whatever reading says.
    Stop(/*power_loss=*/true);
    return Restart(kRestart);
  }
  PlanBatch(kTick);
}

void SimCoordinator::Die(Death how, absl::Duration downtime) {
  if (!is_running()) return;
  if (how == Death::kKill || how == Death::kPowerLoss) {
    Stop(how == Death::kPowerLoss);
    return Restart(downtime);
  }
  downtime_ = downtime;
  if (how == Death::kFileSync) return artifacts_.disk().Die(FaultFolder::DieAt::kFileSync);
  if (how == Death::kFolderSync) return artifacts_.disk().Die(FaultFolder::DieAt::kFolderSync);
  if (how == Death::kBeforeRow) return artifacts_.DieBeforeRow();
  next_death_ = how;
}

void SimCoordinator::Freeze(absl::Duration duration) {
  frozen_until_ = std::max(frozen_until_, events_->now() + duration);
}

void SimCoordinator::Stop(bool power_loss) {
  network_->set_server(nullptr);
  // Nothing that the destructors do may reach the disk: a process that is killed does nothing.
  disk_.DieAfter(0);
  waiting_.clear();
  artifacts_.Stop(power_loss);
  witness_->CoordinatorDied();
  runner_ = nullptr;
  queue_ = nullptr;
  store_ = nullptr;
  files_ = {};
  disk_.Revive();
  if (!power_loss) return;
  disk_.LoseUnsynced(random_->engine());
  unlink((database_ + "-shm").c_str());
}

void SimCoordinator::Restart(absl::Duration downtime) {
  events_->After(downtime, [this, planned = ++restarts_planned_] {
    if (planned == restarts_planned_ && !is_running()) Start();
  });
}

}  // namespace gridsweep
